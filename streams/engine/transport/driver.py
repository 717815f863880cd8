"""`broker="batch://host:port"`: Faust's aiokafka driver, handing an agent one event per partition batch.

It differs from its parent in five places: records travel as batches; Faust's own assignor is forced, so that one worker
gets the same partition of all sources; reads are `read_committed`; seeking goes to the lanes' next offsets; and what is
committed to the group, for lag display only, is what the lanes have committed. The private names that this leans on are
held by tests/streams/engine/transport/test_contract.py.
"""

from faust.transport.drivers import aiokafka as driver

from streams.engine.transport.consumer import Consumer


class Transport(driver.Transport):
    """The driver that the scheme `batch` selects (entry point group `faust.transports`)."""

    Consumer = Consumer
