"""Errors of ``consent-gate-pull``. Each has its own exit code and says what to do next."""

from __future__ import annotations

from consent_gate.errors import GateError


class FeedUnreachable(GateError):
    """The feed does not answer, or answers with an error of its own."""

    exit_code = 60
    next_step = "Check the address and the network. The pictures are checked again at the next run."


class FeedRefused(GateError):
    """The feed does not accept the token, or sends the reader elsewhere."""

    exit_code = 61
    next_step = "Ask the school for a new token: consent-gate feed token CHANNEL --reader NAME."


class FeedInvalid(GateError):
    """The feed's answer is no list of pictures, or is larger than allowed."""

    exit_code = 62
    next_step = "Check that the address ends with /feeds/ and the channel's name. Nothing changed."


class FolderRefused(GateError):
    """The folder holds files of somebody else, or was filled from another feed."""

    exit_code = 63
    next_step = "Give an empty folder that is used for this feed alone."


class FolderBusy(GateError):
    """Another run is at work in the folder."""

    exit_code = 64
    next_step = "Wait until it has ended."


class FolderUnwritable(GateError):
    """The folder cannot be written: the disk is full, or the permissions are wrong."""

    exit_code = 65
    next_step = "Free some space or correct the permissions. Withdrawn pictures are removed first."


class HookFailed(GateError):
    """The command after a change failed, so the website may still show withdrawn pictures."""

    exit_code = 66
    next_step = (
        "Correct the hook command. The next run runs it again. Nothing is confirmed until then."
    )


class PullIncomplete(GateError):
    """Some pictures could not be fetched or removed. The other pictures are up to date."""

    exit_code = 67
    next_step = "The next run tries them again."


class PullSettingInvalid(GateError):
    """The address, the token or the command cannot be used."""

    exit_code = 68
    next_step = "See 'consent-gate-pull --help'."
