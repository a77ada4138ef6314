"""What is said of keywords that are no options of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, kw_only=True)
class OtherNames:
    """What people write in place of the names of options.

    Args:
        options: Class of the options, for messages.
        meant: The option that is meant by a name, such as that of another server.
        elsewhere: What a name is, if it is no option, such as `is Model.from_hub(…)`.
    """

    options: str
    meant: Mapping[str, str]
    elsewhere: Mapping[str, str]

    def explain(self, names: Iterable[str], known: Iterable[str]) -> str | None:
        """What to write instead of names that are no options, as one text; None if all of them are.

        Args:
            names: The keywords that are given.
            known: The options.
        """
        options = list(known)
        texts = [self._explain(name, options) for name in names if name not in options]
        return f"{self.options} has no {'; no '.join(texts)}" if texts else None

    def _explain(self, name: str, options: list[str]) -> str:
        lower = name.lower().replace("-", "_")
        if lower in self.elsewhere:
            return f"{name}, which {self.elsewhere[lower]}"
        near = get_close_matches(lower, options, n=1, cutoff=0.7)
        meant = [self.meant[lower]] if lower in self.meant else near
        return f"{name}: did you mean {meant[0]}?" if meant else name


COMMON_ELSEWHERE = {
    "model_id": "is Model.from_hub(…)",
    "model_path": "is Model.from_hub(…)",
    "hf_model_id": "is Model.from_hub(…)",
    "revision": "is Model.from_hub(…, revision=…)",
    "hf_model_revision": "is Model.from_hub(…, revision=…)",
    "hf_revision": "is Model.from_hub(…, revision=…)",
    "hf_token": "is Model.from_hub(…, token=secret)",
    "hugging_face_hub_token": "is Model.from_hub(…, token=secret)",
    "port": "is SageMaker's",
    "host": "is SageMaker's",
    "hostname": "is SageMaker's",
    "max_new_tokens": "is a parameter of a request",
    "temperature": "is a parameter of a request",
    "environment": "is an argument of the endpoint",
}
"""What names are for every engine that are no options of one."""
