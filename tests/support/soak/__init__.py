"""Faults on real parts: a user who works all the time, a machine that fails at random moments, what must hold then.

`user.py` asks for tasks and services and remembers what was answered; `weather.py` kills; `aftermath.py` compares.
tests/e2e/test_faults_e2e.py does a few rounds, `python -m tests.support.soak` any number.
"""

OPTIONS = ("--healthy-after", "1", "--memory-overcommit", "4")
"""Of the server: rollouts in less time, and room for all tasks on a small machine."""
