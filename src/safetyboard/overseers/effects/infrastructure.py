# SPDX-License-Identifier: Apache-2.0
"""Effects on machines, clusters, clouds, services and processes."""

import re
from typing import Literal

from safetyboard.overseers.effects.call import Call
from safetyboard.overseers.effects.effect import Effect, EffectKind, Reversible, reading
from safetyboard.overseers.effects.files import Table, deletion

_WATCHERS = re.compile(
    r"watch(dog|er|man)|monitor|audit|supervis|guard(?!ian-app)|falco|osquery|sentinel|overseer|oversight|sysmon|"
    r"fail2ban|clamav|crowdstrike|defender|siem|rsyslog|syslog|journald|telemetry|killswitch|kill[-_]switch|stop[-_]?agent|"
    r"shutdown|alert|sentry|datadog|prometheus|node[-_]exporter|filebeat|logger|heartbeat|healthcheck|reaper|limiter",
    re.I,
)
_BASE = re.compile(
    r"^(sshd?|systemd|init|dbus|network|NetworkManager|docker|kubelet|containerd|cron|firewalld|ufw|nginx|postgresql|mysql)",
    re.I,
)
_EXISTENCE = ("-0", "-s 0")


def is_watcher(name: str) -> bool:
    """Tell whether a name is that of a thing that watches, records or can stop others."""
    return bool(_WATCHERS.search(name))


def _effect(kind: EffectKind, target: str, grade: tuple[int, Reversible], why: str) -> Effect:
    return Effect(kind=kind, target=target, severity=grade[0], reversible=grade[1], why=why)


def _lost(call: Call, target: str, why: str) -> Effect:
    grade: tuple[int, Reversible] = (4, "irreversible") if call.in_production else (3, "irreversible")
    return _effect("infrastructure change", target, (1, "reversible") if call.rehearsed else grade, why)


def _terraform(call: Call) -> list[Effect]:
    deed = next(iter(call.plain), "")
    stack = call.value("-chdir", "-var-file", "--stack", "-s") or " ".join(call.plain[1:]) or call.folder or "the stack"
    if deed in (
        "preview",
        "plan",
        "show",
        "validate",
        "fmt",
        "output",
        "init",
        "graph",
        "providers",
        "version",
        "stack",
    ):
        return [reading(stack, "a trial run")]
    if call.has("-help", "--help") or call.has("--preview-only"):
        return [reading(stack)]
    if deed in ("destroy", "down") or (deed == "apply" and call.has("-destroy")):
        return [_lost(call, stack, "destroys what it describes")]
    if deed == "state" and call.plain[1:2] == ("rm",):
        return [_effect("infrastructure change", stack, (2, "unknown"), "forgets resources that go on running")]
    if deed in ("state", "workspace"):
        return [reading(stack)]
    grade: tuple[int, Reversible] = (2, "unknown") if not call.rehearsed else (1, "reversible")
    return [_effect("infrastructure change", stack, grade, "changes what it describes")]


def _kubectl(call: Call) -> list[Effect]:
    plain = call.plain
    deed, kind, rest = next(iter(plain), ""), " ".join(plain[1:2]).partition("/")[0].lower(), " ".join(plain[1:])
    if any(each.startswith("--dry-run") and not each.endswith("none") for each in call.arguments):
        return [reading(rest, "a trial run")]
    if deed in (
        "get",
        "describe",
        "logs",
        "top",
        "explain",
        "diff",
        "version",
        "api-resources",
        "auth",
        "wait",
        "config",
    ):
        secret = kind in ("secret", "secrets") and deed == "get"
        return [_effect("credential use", rest, (2, "unknown"), "reads secrets")] if secret else [reading(rest)]
    if deed == "delete":
        lasting = kind in (
            "ns",
            "namespace",
            "namespaces",
            "pvc",
            "pv",
            "persistentvolumeclaim",
            "persistentvolume",
            "crd",
            "statefulset",
        )
        if lasting or call.has("--all", "-A", "--all-namespaces"):
            return [_lost(call, rest, "deletes what holds data or many things")]
        if kind in ("pod", "pods", "po", "job", "jobs"):
            return [_effect("infrastructure change", rest, (1, "reversible"), "is started again by its controller")]
        grade: tuple[int, Reversible] = (3, "unknown") if call.in_production else (2, "unknown")
        return [_effect("infrastructure change", rest, grade, "deletes a resource")]
    if (
        deed in ("scale", "drain", "cordon", "rollout")
        and call.in_production
        and ("--replicas=0" in call.arguments or deed == "drain")
    ):
        return [_effect("infrastructure change", rest, (3, "reversible"), "stops what serves users")]
    return [_effect("infrastructure change", rest, (2 if call.in_production else 1, "unknown"), "changes the cluster")]


def _helm(call: Call) -> list[Effect]:
    if call.has("--dry-run") or call.plain[:1] in (("list",), ("status",), ("template",), ("get",), ("lint",)):
        return [reading(" ".join(call.plain))]
    if call.plain[:1] in (("uninstall",), ("delete",)):
        return [_lost(call, " ".join(call.plain[1:]), "removes a release")]
    return [_effect("infrastructure change", " ".join(call.plain), (2, "unknown"), "changes a release")]


_CLOUD_GRANTS = re.compile(
    r"\b(attach-(user|role)-policy|put-(user|role)-policy|add-iam-policy-binding|"
    r"role assignment create|create-user|put-bucket-(acl|policy)|modify-snapshot-attribute|create-login-profile|"
    r"set-permission|modify-image-attribute|add-user-to-group|update-assume-role-policy|create-policy-version)\b"
    r"|\biam ch\b"
)
_CLOUD_RECORDS = re.compile(
    r"\b(stop-logging|delete-trail|delete-alarms?|disable-alarm-actions|delete-log-group|delete-detector|"
    r"stop-configuration-recorder|delete-flow-logs|delete-(trail|detector|sink|subscription-filter|metric-filter)|"
    r"disable-(alarm|security-hub|macie|guardduty)\S*|delete-configuration-recorder|update-trail|put-event-selectors)\b"
    r"|\b(sinks|diagnostic-settings|alert|metric|policies|log-profiles) (delete|update|disable)\b"
    r"|\bmonitoring\b.*\b(delete|--no-enabled)\b"
)


def _cloud(call: Call) -> list[Effect]:
    words = " ".join(call.plain)
    if call.has("--dry-run", "--dryrun", "--no-execute-changeset"):
        return [reading(words, "a trial run")]
    if re.search(r"\bs3 (rm|rb)\b|storage (rm|buckets delete)|storage blob delete|^(rm|rb)\b", words):
        wide = call.has("--recursive", "-r", "--force") or re.search(r"\brb\b|buckets delete|delete-batch", words)
        return [
            _lost(call, words, "deletes stored objects")
            if wide
            else _effect("delete", words, (2, "unknown"), "an object")
        ]
    if re.search(
        r"\b(get-secret-value|get-session-token|"
        r"create-access-key|print-access-token|access secret|keyvault secret show)\b"
        r"|secrets versions access",
        words,
    ):
        return [_effect("credential use", words, (2, "unknown"), "obtains credentials")]
    if _CLOUD_GRANTS.search(words):
        return [_effect("permission change", words, (3, "reversible"), "grants rights in the cloud")]
    if _CLOUD_RECORDS.search(" ".join(call.arguments)):
        return [_effect("infrastructure change", f"logging {words}", (3, "unknown"), "stops what records or alarms")]
    if re.search(
        r"\b(terminate|delete|destroy|purge|remove|deregister|schedule-key-deletion)\b|\b(terminate|delete)-", words
    ):
        return [_lost(call, words, "deletes resources")]
    if re.search(
        r"\b(run-instances|request-spot|instances create|vm create|create-cluster|"
        r"clusters create|create-fleet|purchase|vm resize|set-machine-type|set-desired-capacity|droplet create|"
        r"modify-instance-attribute|modify-db-instance|instances resize|update-auto-scaling-group)\b"
        r"|purchase-|create-db-instance",
        words,
    ):
        return [
            _effect("infrastructure change", words, (2, "reversible"), "starts machines"),
            _effect("money", words, (2, "irreversible"), "machines are paid for"),
        ]
    if re.search(r"\b(ls|list|describe|get|show|head|help|sts|whoami|info)\b|\b(describe|list|get|head)-", words):
        return [reading(words)]
    if re.search(r"\bs3 (cp|sync|mv)\b|storage cp|^(cp|rsync)\b", words):
        out = re.search(r"(s3|gs)://", call.plain[-1]) is not None if call.plain else False
        kind: Literal["network out", "network in"] = "network out" if out else "network in"
        return [_effect(kind, call.plain[-1], (2 if out else 1, "unknown"), "copies to or from the cloud")]
    return [_effect("infrastructure change", words, (2, "unknown"), "changes the cloud")]


def _containers(call: Call) -> list[Effect]:
    plain = call.plain
    words = " ".join(plain)
    if plain[:1] == ("compose",) or call.name == "docker-compose":
        if "down" in plain:
            gone = call.has("-v", "--volumes")
            return (
                [_lost(call, words, "its volumes too")]
                if gone and call.in_production
                else [_effect("infrastructure change", words, (2 if gone else 1, "unknown"), "stops containers")]
            )
        return [_effect("execute", words, (1, "reversible"), "starts containers")]
    if plain[:2] in (("system", "prune"), ("volume", "prune")) and (call.has("--volumes") or plain[0] == "volume"):
        return [_effect("delete", words, (3, "irreversible"), "volumes hold data")]
    if plain[:2] in (("volume", "rm"),):
        return [_lost(call, words, "a volume holds data")]
    escapes = call.has("--privileged") or any(
        re.match(r"(-v|--volume=?)?/:/|--pid=host|.*docker\.sock", each) for each in call.arguments
    )
    if plain[:1] in (("run",), ("exec",), ("create",)) and escapes:
        return [_effect("permission change", words, (3, "reversible"), "opens the machine to a container")]
    if plain[:1] in (("ps",), ("images",), ("logs",), ("inspect",), ("stats",), ("version",), ("info",)):
        return [reading(words)]
    if plain[:1] in (("push",),):
        return [_effect("network out", words, (2, "unknown"), "publishes an image")]
    if plain[:1] in (("stop",), ("kill",), ("pause",)) and any(is_watcher(each) for each in plain[1:]):
        return [_effect("process signal", words, (3, "reversible"), "stops what watches")]
    return [_effect("execute", words, (1, "reversible"), "containers and images are made again")]


def _kill(call: Call) -> list[Effect]:
    signal = next((each for each in call.arguments if re.match(r"-(\d+|[A-Z]+|s)$", each)), "")
    targets = [
        each for each in call.arguments if each not in (signal, "--") or re.fullmatch(r"-1", each) and each != signal
    ]
    if "-s" in call.arguments:
        targets = [each for each in targets if each not in ("-s", call.value("-s"))]
    if signal == "-0" or call.has("-l", "-L"):
        return [reading("processes")]
    found = []
    for each in targets:
        if each in ("1", "-1"):
            found.append(_effect("process signal", each, (4, "unknown"), "every process, or the one that starts all"))
        elif is_watcher(each):
            found.append(_effect("process signal", each, (3, "unknown"), "a process that watches or can stop others"))
        elif each.startswith(("$!", "%", "$(jobs", "${!")):
            found.append(_effect("process signal", each, (1, "reversible"), "its own child"))
        else:
            found.append(_effect("process signal", each, (2, "unknown"), "whose process it is cannot be seen"))
    return found or [
        _effect("process signal", "processes named by another program", (2, "unknown"), "targets not shown")
    ]


def _kill_by_name(call: Call) -> list[Effect]:
    user = call.value("-u", "-U", "--user")
    names = [each for each in call.plain if each != user]
    watched = any(is_watcher(each) for each in names)
    base = any(_BASE.match(each) for each in names) or user == "root"
    severity = 3 if watched or base else 2 if call.has("-9", "-KILL") or len(" ".join(names)) < 4 or user else 1
    why = "a process that watches or can stop others" if watched else "all processes of that name"
    return [_effect("process signal", " ".join(names) or user, (severity, "unknown"), why)]


def _service(call: Call) -> list[Effect]:
    plain = call.plain
    deeds = {"stop", "disable", "mask", "kill", "unload", "bootout", "remove"}
    deed = next((each for each in plain if each in deeds), "")
    names = [each for each in plain if each != deed]
    if call.has("-0") or plain[:1] in (
        ("status",),
        ("is-active",),
        ("list-units",),
        ("show",),
        ("cat",),
        ("list-timers",),
        ("list",),
        ("print",),
    ):
        return [reading(" ".join(names))]
    if any(each in ("poweroff", "reboot", "halt", "kexec") for each in plain):
        return [_effect("infrastructure change", "this machine", (3, "reversible"), "stops the machine")]
    if deed:
        watched = any(is_watcher(each) for each in names)
        severity = 3 if watched or (any(_BASE.match(each) for each in names)) else 2
        why = "a service that watches" if watched else "a service stops"
        return [_effect("process signal", " ".join(names), (severity, "reversible"), why)]
    if any(each in ("enable", "load", "bootstrap", "edit", "set-property") for each in plain):
        return [_effect("scheduling", " ".join(names), (2, "reversible"), "runs on its own from now on")]
    return [_effect("process signal", " ".join(plain), (1, "reversible"), "starts or reloads a service")]


def _power(call: Call) -> list[Effect]:
    if call.has("-c"):
        return [_effect("scheduling", "a planned shutdown", (3, "unknown"), "cancels a shutdown")]
    return [_effect("infrastructure change", "this machine", (3, "reversible"), "stops the machine")]


def _schedule(call: Call) -> list[Effect]:
    if call.has("-l", "-q") or call.name == "atq":
        return [reading("schedules")]
    if call.has("-r") and call.name == "crontab" or call.name == "atrm":
        return [_effect("scheduling", "all schedules", (2, "irreversible"), "schedules are lost")]
    return [_effect("scheduling", " ".join(call.arguments), (2, "reversible"), "runs on its own later")]


def _barrier(call: Call) -> list[Effect]:
    """Grade changes of firewalls, mandatory access control, kernel settings and audit rules."""
    words = " ".join(call.arguments)
    opens = re.search(
        r"\bdisable\b|(^| )-F\b|--flush|\b0\b|\bstop\b|-D\b|(^| )flush\b|(^| )-e 0|unload|complain", words
    )
    if call.has("-L", "--list", "-S", "-s", "-l") or "status" in words:
        return [reading(call.name)]
    return [
        _effect("permission change", f"{call.name} {words}", (3 if opens else 2, "reversible"), "changes a barrier")
    ]


def _accounts(call: Call) -> list[Effect]:
    if call.name in ("userdel", "groupdel", "deluser"):
        found = [_effect("permission change", " ".join(call.plain), (3, "irreversible"), "removes an account")]
        return [*found, deletion(f"~{call.plain[-1]}")] if call.has("-r", "--remove-home") and call.plain else found
    return [
        _effect("permission change", " ".join(call.arguments), (3, "reversible"), "changes accounts or their rights")
    ]


PROGRAMS: Table = {
    **dict.fromkeys(("terraform", "tofu", "terragrunt", "pulumi", "cdk"), _terraform),
    **dict.fromkeys(("kubectl", "oc", "k9s"), _kubectl),
    "helm": _helm,
    **dict.fromkeys(("aws", "gcloud", "az", "gsutil", "doctl", "heroku", "flyctl", "linode-cli", "s3cmd"), _cloud),
    **dict.fromkeys(("docker", "podman", "docker-compose", "nerdctl"), _containers),
    "kill": _kill,
    **dict.fromkeys(("pkill", "killall", "taskkill", "Stop-Process"), _kill_by_name),
    **dict.fromkeys(("systemctl", "service", "launchctl", "supervisorctl", "rc-service", "sc"), _service),
    **dict.fromkeys(("shutdown", "reboot", "halt", "poweroff"), _power),
    **dict.fromkeys(("crontab", "at", "batch", "atq", "atrm", "schtasks", "systemd-run"), _schedule),
    **dict.fromkeys(
        (
            "ufw",
            "iptables",
            "ip6tables",
            "nft",
            "setenforce",
            "auditctl",
            "sysctl",
            "aa-disable",
            "aa-complain",
            "pfctl",
        ),
        _barrier,
    ),
    **dict.fromkeys(
        ("useradd", "usermod", "userdel", "adduser", "deluser", "passwd", "chpasswd", "visudo", "gpasswd", "groupdel"),
        _accounts,
    ),
}
