"""An action, a channel and a line of the playbook that stand in a configuration and nowhere in our code."""

from __future__ import annotations

import json

import pandas as pd

from holdfast.config import load
from tests.end_to_end.command import done, holdfast
from tests.end_to_end.shop import ACTIONS, Shop

AS_OF = "2024-07-01"
GIFT = {"words": "box of <tea> & biscuits", "channel": "bike_courier", "contact_cost": 4.0, "save_rate": 0.3}
CHANNELS = {"bike_courier": {"words": "by bicycle courier"}}
PLAYBOOK = [{"action": "gift_box", "stage": ["lapsing", "dormant"]}, "default"]


def test_an_action_of_the_configuration_reaches_list_page_and_screen_with_its_words(shop: Shop) -> None:
    """A business that sends tea should not have to send us a change of code first."""
    config = shop.write(
        "tea.yaml",
        outreach__actions={**ACTIONS, "gift_box": GIFT},
        outreach__channels=CHANNELS,
        outreach__playbook=PLAYBOOK,
        outreach__quiet_days=7,
        outreach__budget={"contacts": 200},
    )
    output = shop.folder / "tea"
    assert not done("train", config, "--json").json["fresh"], "a price or an offer changes without retraining"
    said = done("score", config, "--as-of", AS_OF, "--output", output).out
    folder = output / f"as_of={AS_OF}"
    told_by = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["fingerprints"]["configuration"]
    assert told_by == load(config).fingerprint != load(shop.config).fingerprint
    listed = pd.read_parquet(folder / "at_risk.parquet")
    gifts = listed[listed["stage"].isin(["lapsing", "dormant"])]
    others = listed.drop(gifts.index)
    assert len(gifts) > 0
    assert len(others) > 0
    told = ["action", "channel", "action_words", "channel_words"]
    assert gifts[told].drop_duplicates().to_numpy().tolist() == [
        ["gift_box", "bike_courier", "box of <tea> & biscuits", "by bicycle courier"]
    ]
    assert others[told].drop_duplicates().to_numpy().tolist() == [
        ["personal_offer", "email", "personal offer", "by email"]
    ]
    expected = gifts["p_leaving"] * 0.3 * (gifts["value_if_kept"] - gifts["value_if_lost"]) - 4.0
    pd.testing.assert_series_equal(gifts["net_value"], expected, check_names=False, rtol=1e-12)
    sheet = pd.read_csv(folder / "at_risk.csv", encoding="utf-8-sig")
    assert sheet["action_words"].tolist() == listed["action_words"].tolist()
    assert sheet["channel_words"].tolist() == listed["channel_words"].tolist()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "box of &lt;tea&gt; &amp; biscuits" in page
    assert "by bicycle courier" in page
    for row in listed.head(5).itertuples():
        assert f"{row.stage}: {row.action_words} {row.channel_words}" in said


def test_an_action_without_a_line_in_the_playbook_is_refused(shop: Shop) -> None:
    """It would never be chosen, and nobody would notice."""
    config = shop.write("forgotten.yaml", outreach__actions={**ACTIONS, "gift_box": GIFT})
    answer = holdfast("score", config, "--as-of", AS_OF)
    assert answer.code == 2
    assert (
        "no line of the playbook chooses gift_box; add one, such as {action: gift_box, stage: [lapsing]}" in answer.err
    )
