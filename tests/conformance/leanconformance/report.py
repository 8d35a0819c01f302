"""What is judged, and how it came out."""

import json


class Report:
    """One verdict a rule. A rule fails for good at its first failure; one that was never tried is said to be so."""

    def __init__(self, rules):
        """`rules`: name: text."""
        self._rules = rules
        self._tried = set()
        self._failures = {}

    def passed(self, rule):
        self._tried.add(self._known(rule))

    def failed(self, rule, why):
        self._tried.add(self._known(rule))
        self._failures.setdefault(rule, []).append(why)

    def check(self, rule, condition, why):
        """Passes or fails the rule, and returns the condition."""
        if condition:
            self.passed(rule)
        else:
            self.failed(rule, why)
        return bool(condition)

    def has_failed(self, rule):
        return rule in self._failures

    @property
    def ok(self):
        return not self._failures

    def verdict(self, rule):
        return "FAIL" if rule in self._failures else "PASS" if rule in self._tried else "NOT TRIED"

    def text(self):
        lines = []
        for rule, text in self._rules.items():
            lines.append(f"{self.verdict(rule):<9} {rule}: {text}")
            reasons = self._failures.get(rule, ())
            lines += [f"          - {why}" for why in reasons[:5]]
            if len(reasons) > 5:
                lines.append(f"          - and {len(reasons) - 5} more")
        counts = [sum(self.verdict(rule) == verdict for rule in self._rules) for verdict in ("PASS", "FAIL", "NOT TRIED")]
        lines.append("{} passed, {} failed, {} not tried".format(*counts))
        return "\n".join(lines)

    def write_json(self, path):
        rows = [
            {"rule": rule, "text": text, "verdict": self.verdict(rule), "failures": self._failures.get(rule, [])}
            for rule, text in self._rules.items()
        ]
        with open(path, "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=2)
            out.write("\n")

    def _known(self, rule):
        if rule not in self._rules:
            raise KeyError(f"no rule {rule}")
        return rule
