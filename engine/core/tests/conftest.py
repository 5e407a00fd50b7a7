"""How long the properties are tried: `HYPOTHESIS_PROFILE=long` for hours, else for seconds."""

import os

from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=60, stateful_step_count=25)
settings.register_profile("long", deadline=None, max_examples=10_000, stateful_step_count=60)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
