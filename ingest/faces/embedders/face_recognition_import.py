"""Import ``face_recognition`` without the side effects of its import.

The import loads all models of the package. One of them is the 68-point landmark model, whose
training data exclude commercial use. The import also makes Pillow accept truncated pictures in the
whole process. Neither is allowed in the gate (docs/adr/0013).
"""

from __future__ import annotations

from typing import Any

import face_recognition_models
from PIL import ImageFile

from consent_gate.errors import ModelUnavailable
from ingest.faces.weights import DLIB_LANDMARKS_5, DLIB_RESNET, locate


def import_face_recognition() -> Any:
    """The module ``face_recognition.api``, with the verified weights and the 5-point landmarks.

    ``face_recognition`` asks ``face_recognition_models`` where each file is. During the import the
    answer for the 68-point landmarks is the 5-point file; what is loaded for ``model="large"`` must
    therefore not be used. Once imported, the module stays as it is for the life of the process.

    Raises:
        ModelUnavailable: A weight file is missing or is not the one that was measured, or something
            else imported ``face_recognition`` before, with other files.
    """
    landmarks, network = str(locate(DLIB_LANDMARKS_5)), str(locate(DLIB_RESNET))
    usual_answer = face_recognition_models.pose_predictor_model_location
    truncated_allowed = ImageFile.LOAD_TRUNCATED_IMAGES
    face_recognition_models.pose_predictor_model_location = lambda: landmarks
    try:
        from face_recognition import api
    except RuntimeError as error:
        raise ModelUnavailable("dlib's face models could not be loaded.") from error
    finally:
        face_recognition_models.pose_predictor_model_location = usual_answer
        ImageFile.LOAD_TRUNCATED_IMAGES = truncated_allowed
    loaded = (
        api.predictor_68_point_model,
        api.predictor_5_point_model,
        api.face_recognition_model,
    )
    if loaded != (landmarks, landmarks, network):
        raise ModelUnavailable("face_recognition has loaded other face models than the gate's.")
    return api
