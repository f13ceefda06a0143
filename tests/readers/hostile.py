"""A SuperOffice on loopback whose answers hold what Parquet readers most easily read wrong."""

import contextlib
import http.server
import json
import threading

LARGEST = 1.7976931348623157e308
SMALLEST = 5e-324

# The sales of contact 1, and the latitude of each contact. Amounts span all floats, those in base
# currency touch zero from above and latitudes from below; each sum is finite in any order.
AMOUNTS = [
    0.0,
    -0.0,
    SMALLEST,
    -SMALLEST,
    2.2250738585072014e-308,
    LARGEST,
    -LARGEST,
    0.1,
    -1234.5,
    None,
    1e290,
    1 / 3,
]
IN_BASE_CURRENCY = [
    0.0,
    None,
    SMALLEST,
    1.5,
    2676.4359999999997,
    LARGEST,
    None,
    1e-300,
    3.0,
    4.0,
    5.0,
    1e15,
]
LATITUDES = [-0.0, -1.5, None, -SMALLEST, -90.0]
INSTANTS = [
    "9999-12-31T23:59:59.999999Z",
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "1761-01-01T00:00:00.000001Z",
    "1900-02-28T12:30:00.5Z",
    None,
]
INTEGERS = [2**63 - 1, -(2**63), 0, None, 2**53 + 1]
TEXTS = ["", None, "\u0000", 'a,"b"\r\nc', "Bjørn Åkesson 株式会社 😀", " ", "NULL", "NaN"]

CONTACT_IDS = range(1, len(LATITUDES) + 1)


def pick(values, index):
    return values[index % len(values)]


def summary(contact_id):
    """The answer for one contact."""
    sales = [
        {
            "SaleId": pick(INTEGERS, index),
            "SaleDate": pick(INSTANTS, index),
            "Registered": pick(INSTANTS, index + 1),
            "Heading": pick(TEXTS, index),
            "Amount": amount,
            "AmountInBaseCurrency": in_base_currency,
        }
        for index, (amount, in_base_currency) in enumerate(zip(AMOUNTS, IN_BASE_CURRENCY))
        if contact_id == 1
    ]
    latitude = LATITUDES[contact_id - 1]
    contact = {
        "ContactId": contact_id,
        "Name": pick(TEXTS, contact_id),
        "Address": {"Wgs84Latitude": latitude},
    }
    return {"Contact": contact, "Sales": sales}


class Api(http.server.BaseHTTPRequestHandler):
    """Answers the one question that counts; all else is not found."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(200, summary(question["ContactId"]))

    def do_GET(self):
        self.answer(404, {})

    def answer(self, status, members):
        body = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


@contextlib.contextmanager
def server():
    """The address of a server that ends with the block."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{api.server_port}/api"
        api.shutdown()
