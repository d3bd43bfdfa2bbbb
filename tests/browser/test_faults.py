"""Training and its server are killed while a browser looks on.

In full: python -m tests.tools.faults
"""

from tests.stores import save_known_costs
from tests.tools.faulting.bits import two_configs
from tests.tools.faulting.page import run_faults


def test_kills_lose_nothing(lab, browser, tmp_path):
    save_known_costs(lab, *two_configs(1))
    result = run_faults(lab, tmp_path, browser, kills=2, server_kills=1, seed=1)
    assert sum(result["kills"].values()) == 2 and result["server_kills"] == 1
    assert result["lost_or_damaged"] == 0 and len(set(result["weights_sha256"])) == 2
