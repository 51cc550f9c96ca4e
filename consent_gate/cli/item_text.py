"""Text about pictures for the command line."""

from __future__ import annotations

from typing import Any

from consent_gate.home.home import Home
from consent_gate.messages import LABELS, reason_message
from consent_gate.model import Reason

VERDICTS = {
    "released": "released",
    "held": "held",
    "refused": "refused by staff",
    "withdrawn": "withdrawn",
}


def channels_line(home: Home, item: dict[str, Any]) -> str:
    """Return the verdicts, such as ``School website: released, Millfields Mag: held``."""
    return ", ".join(
        f"{home.settings.channels[name].title}: {VERDICTS[channel['verdict']]}"
        if name in home.settings.channels
        else f"{name}: {VERDICTS[channel['verdict']]}"
        for name, channel in item["channels"].items()
    )


def reason_lines(item: dict[str, Any]) -> list[str]:
    """Return one sentence for each reason in any channel."""
    reasons = [r for channel in item["channels"].values() for r in channel["reasons"]]
    return [reason_message(Reason(reason)) for reason in dict.fromkeys(reasons)]


def short_reasons(home: Home, item: dict[str, Any]) -> str:
    """Return the reasons by channel, or once when all channels have the same reasons."""
    by_channel = {
        name: ", ".join(LABELS[Reason(reason)] for reason in channel["reasons"])
        for name, channel in item["channels"].items()
    }
    held = {name: reasons for name, reasons in by_channel.items() if reasons}
    if len(held) == len(by_channel) and len(set(held.values())) == 1:
        return next(iter(held.values()))
    return "; ".join(f"{home.settings.channels[n].title}: {r}" for n, r in held.items())
