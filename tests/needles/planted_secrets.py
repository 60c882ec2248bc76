# SPDX-License-Identifier: Apache-2.0
"""Secrets that never were: made at random in the formats that providers document, set where logs show them.

Written from the providers' documentation, not from the patterns that look for them. Each kind has twins that look alike
and are no secrets.
"""

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator

ALPHANUMERIC = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
URL_SAFE = ALPHANUMERIC + "-_"
BASE64 = ALPHANUMERIC + "+/"


def drawn(chance: random.Random, letters: str, count: int) -> str:
    """Draw letters, of which at least one is a digit where digits are among them."""
    text = "".join(chance.choices(letters, k=count - 1))
    return text + (chance.choice([each for each in letters if each.isdigit()] or letters))


def _pem(chance: random.Random, label: str, lines: int) -> str:
    body = "\n".join(drawn(chance, BASE64, 64) for _ in range(lines))
    return f"-----BEGIN {label}-----\n{body}\n{drawn(chance, BASE64, 30)}==\n-----END {label}-----"


def _jwt(chance: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": drawn(chance, string.digits, 10), "iat": chance.randrange(10**9)}
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{drawn(chance, URL_SAFE, 43)}"


def _password(chance: random.Random) -> str:
    words = ("harbor", "Lantern", "quartz", "Meadow", "cinder", "Falcon", "violet", "Summit")
    shapes = (
        lambda: chance.choice(words) + drawn(chance, string.digits, 3) + chance.choice("!#%"),
        lambda: drawn(chance, ALPHANUMERIC, 14),
        lambda: drawn(chance, ALPHANUMERIC + "!#%^*", 18),
        lambda: f"{chance.choice(words)}-{chance.choice(words)}-{drawn(chance, string.digits, 2)}",
    )
    return chance.choice(shapes)()


# Kind -> the secret itself.
PROVIDERS: dict[str, Callable[[random.Random], str]] = {
    "AWS key id": lambda c: c.choice(("AKIA", "ASIA")) + drawn(c, UPPER, 16),
    "GitHub token": lambda c: c.choice(("ghp_", "gho_", "ghs_")) + drawn(c, ALPHANUMERIC, 36),
    "GitHub fine-grained token": lambda c: f"github_pat_{drawn(c, ALPHANUMERIC, 22)}_{drawn(c, ALPHANUMERIC, 59)}",
    "GitLab token": lambda c: "glpat-" + drawn(c, URL_SAFE, 20),
    "Slack bot token": lambda c: (
        f"xoxb-{drawn(c, string.digits, 12)}-{drawn(c, string.digits, 13)}-{drawn(c, ALPHANUMERIC, 24)}"
    ),  # noqa: E501
    "Slack webhook": lambda c: (
        f"https://hooks.slack.com/services/T{drawn(c, UPPER, 8)}/B{drawn(c, UPPER, 8)}/{drawn(c, ALPHANUMERIC, 24)}"
    ),  # noqa: E501
    "OpenAI key": lambda c: f"sk-proj-{drawn(c, URL_SAFE, 74)}T3BlbkFJ{drawn(c, URL_SAFE, 74)}",
    "OpenAI key, old": lambda c: f"sk-{drawn(c, ALPHANUMERIC, 20)}T3BlbkFJ{drawn(c, ALPHANUMERIC, 20)}",
    "Anthropic key": lambda c: f"sk-ant-api03-{drawn(c, URL_SAFE, 93)}AA",
    "Hugging Face token": lambda c: "hf_" + "".join(c.choices(string.ascii_letters, k=34)),
    "Google key": lambda c: "AIza" + drawn(c, URL_SAFE, 35),
    "Stripe key": lambda c: "sk_live_" + drawn(c, ALPHANUMERIC, 24),
    "npm token": lambda c: "npm_" + drawn(c, ALPHANUMERIC, 36),
    "PyPI token": lambda c: "pypi-AgEIcHlwaS5vcmc" + drawn(c, URL_SAFE, 150),
    "SendGrid key": lambda c: f"SG.{drawn(c, URL_SAFE, 22)}.{drawn(c, URL_SAFE, 43)}",
    "Telegram token": lambda c: f"{c.randrange(10**9, 10**10)}:AA{drawn(c, URL_SAFE, 33)}",
    "JSON web token": _jwt,
    "RSA key": lambda c: _pem(c, "RSA PRIVATE KEY", 24),
    "OpenSSH key": lambda c: _pem(c, "OPENSSH PRIVATE KEY", 6),
    "PKCS8 key": lambda c: _pem(c, "PRIVATE KEY", 26),
}
# Kind -> a line around a secret that has no format of its own, and how the secret is made.
SET: dict[str, tuple[tuple[str, ...], Callable[[random.Random], str]]] = {
    "AWS secret key": (
        ("AWS_SECRET_ACCESS_KEY={}", "aws_secret_access_key = {}", 'export AWS_SECRET_ACCESS_KEY="{}"'),
        lambda c: drawn(c, BASE64, 40),
    ),
    "password in an address": (
        ("postgres://app:{}@db.internal:5432/orders", "git clone https://deploy:{}@git.internal/repo.git",
         "redis://:{}@cache.internal:6379/0", "amqp://svc:{}@mq.internal/"),
        lambda c: drawn(c, ALPHANUMERIC, c.randint(8, 24)),
    ),
    "password set": (
        ('password = "{}"', "DB_PASSWORD={}", "password: {}", '"db_password": "{}",', "PGPASSWORD='{}' psql -h db",
         "sshpass -p '{}' ssh root@10.0.0.4", "curl -u admin:{} https://api.internal/v1"),
        _password,
    ),
    "key set": (
        ('api_key = "{}"', "API_KEY={}", '"apiKey": "{}"', "client_secret: '{}'", "SECRET_KEY={}", "auth_token: {}",
         'requests.get(url, headers={{"X-Api-Key": "{}"}})', "curl -H 'X-Api-Key: {}' https://api.internal"),
        lambda c: drawn(c, c.choice((ALPHANUMERIC, HEX, URL_SAFE)), c.randint(20, 48)),
    ),
    "authorization": (
        ("Authorization: Bearer {}", 'curl -H "Authorization: token {}" https://api.internal',
         '"headers": {{"Authorization": "Basic {}"}}', "authorization=Bearer {}"),
        lambda c: drawn(c, ALPHANUMERIC, c.randint(24, 60)),
    ),
}  # fmt: skip
AROUND = (
    "{}", "export TOKEN={}", "the deploy key is {} and it works", '{{"value": "{}", "n": 1}}', "+{}", "> {}",
    "echo '{}' >> .env", "2026-01-02T03:04:05Z DEBUG using ({})", "key: {}",
)  # fmt: skip
ESCAPED = (
    lambda text: text,
    lambda text: json.dumps({"content": f"before {text} behind"}),
    lambda text: json.dumps({"arguments": json.dumps({"command": text})}),
    lambda text: json.dumps({"content": text}).replace("/", "\\/"),
)
# What looks alike and is no secret.
TWINS: tuple[Callable[[random.Random], str], ...] = (
    lambda c: f"commit {drawn(c, HEX, 40)}",
    lambda c: f"index {drawn(c, HEX, 7)}..{drawn(c, HEX, 7)} 100644",
    lambda c: f"id: {uuid.UUID(int=c.getrandbits(128), version=4)}",
    lambda c: f'"sha256": "{drawn(c, HEX, 64)}"',
    lambda c: f'integrity "sha512-{drawn(c, BASE64, 86)}=="',
    lambda c: f"data:image/png;base64,iVBORw0KGgo{drawn(c, BASE64, 400)}",
    lambda c: f"call_{drawn(c, ALPHANUMERIC, 24)}",
    lambda c: f"toolu_{drawn(c, ALPHANUMERIC, 24)}",
    lambda c: f"msg_{drawn(c, ALPHANUMERIC, 24)}",
    lambda c: f'api_key = os.environ["{drawn(c, UPPER, 6)}_API_KEY"]',
    lambda c: "password = getpass.getpass()",
    lambda c: 'password: "your-password-here"',
    lambda c: "token = tokenizer.encode(text)",
    lambda c: f"max_tokens: {c.randrange(10_000)}",
    lambda c: f"tokens = [{c.randrange(99)}, {c.randrange(99)}]",
    lambda c: f"key = f'{{prefix}}/{drawn(c, ALPHANUMERIC, 5)}'",
    lambda c: f"primary_key=True, foreign_key='users.id', n={c.randrange(99)}",
    lambda c: "https://user:password@example.com/",
    lambda c: f"ssh-rsa AAAAB3NzaC1yc2E{drawn(c, BASE64, 200)} me@host",
    lambda c: "-----BEGIN CERTIFICATE-----\n" + drawn(c, BASE64, 64),
    lambda c: 'grep -rn "BEGIN RSA PRIVATE KEY" .',
    lambda c: f"pip==24.0 --hash=sha256:{drawn(c, HEX, 64)}",
    lambda c: f"etag: W/\"{drawn(c, HEX, 32)}\"",
    lambda c: f"/tmp/pytest-of-me/pytest-{c.randrange(99)}/test_{drawn(c, HEX, 12)}",
    lambda c: "def test_password_is_hashed(self): assert user.password != 'secret'",
    lambda c: f"traceparent: 00-{drawn(c, HEX, 32)}-{drawn(c, HEX, 16)}-01",
    lambda c: "Authorization: Bearer $TOKEN",
    lambda c: "Authorization: Bearer <token>",
    lambda c: "export API_KEY=${API_KEY}",
    lambda c: f"secrets.token_hex({c.randrange(64)})",
)  # fmt: skip


def planted(seed: int, each: int) -> Iterator[tuple[str, str, str]]:
    """Give kind, secret and the text it stands in: `each` of every kind."""
    chance = random.Random(seed)
    for kind, make in PROVIDERS.items():
        for number in range(each):
            secret = make(chance)
            text = chance.choice(AROUND).format(secret)
            yield kind, secret, ESCAPED[number % len(ESCAPED)](text)
    for kind, (lines, make) in SET.items():
        for number in range(each):
            secret = make(chance)
            text = lines[number % len(lines)].format(secret)
            yield kind, secret, chance.choice(ESCAPED)(text)


def twins(seed: int, each: int) -> Iterator[str]:
    """Give texts without secrets: `each` of every sort, in the same escapings."""
    chance = random.Random(seed)
    for make in TWINS:
        for number in range(each):
            yield ESCAPED[number % len(ESCAPED)](make(chance))


def stays(secret: str, text: str) -> bool:
    """Tell whether eight signs of a secret in a row still stand in a text, however they were escaped."""
    plain = text.replace("\\/", "/").replace("\\\\n", "\n").replace("\\n", "\n")
    if "PRIVATE KEY" in secret:
        secret = secret.split("-----")[2]
    if secret.startswith("https://hooks"):
        secret = secret.rpartition("/")[2]
    return any(secret[at : at + 8] in plain for at in range(max(1, len(secret) - 7)))
