"""An object store made up in this process."""

import logging
import urllib.request

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "bucket"


@pytest.fixture(scope="session")
def s3_endpoint():
    """An object store made up in this process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint, tmp_path, monkeypatch):
    """A client of the store, which holds an empty bucket."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    tell_moto(s3_endpoint, "reset")
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def tell_moto(endpoint, what, content=b""):
    request = urllib.request.Request(
        f"{endpoint}/moto-api/{what}", content, {"Content-Type": "text/plain"}, method="POST"
    )
    urllib.request.urlopen(request).close()
