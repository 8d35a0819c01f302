"""Requests to a beacon's HTTP server, by Python's own client."""

import collections
import http.client
import json
import ssl

PATIENCE_S = 60

Answer = collections.namedtuple("Answer", "status type body headers")


def get(address, path, method="GET", headers=None, authority=None):
    """`authority`: a file with the certificates to trust; with it, TLS is used."""
    if authority is None:
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    else:
        context = ssl.create_default_context(cafile=authority)
        connection = http.client.HTTPSConnection(address, timeout=PATIENCE_S, context=context)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers["Content-Type"], response.read(), response.headers)
    finally:
        connection.close()


def get_json(address, path):
    answer = get(address, path)
    assert answer.status == 200, answer
    assert answer.type == "application/json", answer
    # Compact: exactly as it is written again.
    parsed = json.loads(answer.body)
    assert json.dumps(parsed, separators=(",", ":"), ensure_ascii=False).encode() == answer.body, answer
    return parsed


def error(address, path):
    """The status and the text of an error."""
    answer = get(address, path)
    assert answer.type == "application/json", answer
    parsed = json.loads(answer.body)
    assert list(parsed) == ["error"], answer
    return answer.status, parsed["error"]


class Events:
    """An open stream of server-sent events."""

    def __init__(self, address, topics, last_event_id=None):
        self._connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self._connection.request("GET", f"/lean/v0/events?topics={topics}", headers=headers)
        self.response = self._connection.getresponse()
        self.comments = []

    def lines(self):
        """The lines of the next event, without its empty line. Comments are kept apart."""
        lines = []
        while True:
            line = self.response.readline().decode()
            if not line:
                raise EOFError("the stream has ended")
            line = line.removesuffix("\n")
            if line.startswith(":"):
                self.comments.append(line)
            elif line:
                lines.append(line)
            elif lines:
                return lines

    def next(self):
        """(topic, data, id) of the next event."""
        fields = dict(line.split(": ", 1) for line in self.lines())
        return fields["event"], json.loads(fields["data"]), fields["id"]

    def close(self):
        self._connection.close()
