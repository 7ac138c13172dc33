"""What tests/monitoring/agree notices, without Prometheus."""

import copy
import importlib.machinery
import importlib.util
import pathlib
import unittest

FILE = pathlib.Path(__file__).resolve().parents[1] / "agree"
loader = importlib.machinery.SourceFileLoader("agree", str(FILE))
agree = importlib.util.module_from_spec(importlib.util.spec_from_loader("agree", loader))
loader.exec_module(agree)

SOURCE = '''
    : sent(m.make_counter("semel_x_sent_total", "Sent (all of them)", {{"channel", std::string{name}}, {"why", e.code()}}))
    , left(m.make_gauges("semel_x_left", "What is left (of \\"all\\"), a word", {"campaign", "state"}))
    , took(m.make_histogram("semel_x_seconds", "Duration", {}, {0.1, 1})) {}
'''


class Names(unittest.TestCase):
    metrics = {**agree.exported([SOURCE]), "up": set()}

    def test_are_found_in_the_sources_with_their_labels(self):
        self.assertEqual(self.metrics["semel_x_sent_total"], {"channel", "why"})
        self.assertEqual(self.metrics["semel_x_left"], {"campaign", "state"})
        self.assertEqual(self.metrics["semel_x_seconds_bucket"], {"le"})
        self.assertNotIn("semel_x_seconds", self.metrics)

    def test_that_nobody_exports_are_noticed(self):
        self.assertEqual(list(agree.wrong_in("rate(semel_x_send_total[5m]) > 1", self.metrics)), ["no service exports semel_x_send_total"])
        self.assertEqual(list(agree.wrong_in('sum(rate(semel_x_sent_total{channel="semel_y"}[5m]))', self.metrics)), [])

    def test_of_labels_are_noticed_in_matchers_and_in_groups(self):
        self.assertEqual(list(agree.wrong_in('semel_x_sent_total{chanel="sms"}', self.metrics)), ["semel_x_sent_total has no label chanel"])
        self.assertEqual(list(agree.wrong_in("sum by (service, kind) (semel_x_sent_total)", self.metrics)),
                         ["none of semel_x_sent_total has the label kind"])
        self.assertEqual(list(agree.wrong_in('sum by (service, why) (semel_x_sent_total{job="semel"}) and on (instance) up', self.metrics)), [])


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.metrics = {**agree.exported([SOURCE]), "up": set()}
        place = {"x": 0, "y": 0, "w": 12, "h": 8}
        self.dashboard = {"panels": [{"id": 1, "type": "stat", "title": "A", "description": "What it is.", "gridPos": place,
                                      "targets": [{"refId": "A", "expr": "sum(up)"}]}]}

    def complaints(self, **change):
        broken = copy.deepcopy(self.dashboard)
        broken["panels"].append({**broken["panels"][0], "id": 2, "gridPos": {"x": 12, "y": 0, "w": 12, "h": 8}, **change})
        return list(agree.dashboard_complaints(broken, self.metrics))

    def test_is_well_as_it_is(self):
        self.assertEqual(self.complaints(), [])

    def test_has_each_panel_in_its_own_place(self):
        self.assertEqual(len(self.complaints(gridPos={"x": 11, "y": 7, "w": 4, "h": 8})), 1)
        self.assertEqual(len(self.complaints(gridPos={"x": 20, "y": 0, "w": 5, "h": 8})), 1)
        self.assertEqual(len(self.complaints(id=1)), 1)

    def test_asks_for_what_there_is(self):
        self.assertEqual(len(self.complaints(targets=[{"refId": "A", "expr": "semel_x_seconds"}])), 1)
        self.assertEqual(len(self.complaints(targets=[])), 1)


class Pages(unittest.TestCase):
    rule = {"alert": "SemelX", "expr": "up == 0", "annotations": {"runbook": "docs/operations.md#semelx"}}

    def complaints(self, page, **change):
        groups = {"groups": [{"rules": [{**self.rule, **change}]}]}
        return list(agree.rule_complaints(groups, {"up": set()}, page))

    def test_have_a_heading_for_each_alert_and_no_other(self):
        self.assertEqual(self.complaints("### SemelX\n"), [])
        self.assertEqual(len(self.complaints("### SemelY\n")), 2)
        self.assertEqual(len(self.complaints("### SemelX\n", annotations={"runbook": "docs/operations.md#semely"})), 1)

    def test_scrape_every_service(self):
        jobs = lambda names: {"scrape_configs": [{"job_name": "semel", "static_configs": [{"labels": {"service": n}} for n in names]}]}
        self.assertEqual(list(agree.scrape_complaints(jobs(agree.SERVICES))), [])
        self.assertEqual(len(list(agree.scrape_complaints(jobs(agree.SERVICES - {"sms"})))), 1)


if __name__ == "__main__":
    unittest.main()
