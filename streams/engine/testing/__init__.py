"""What a view and the engine itself are tested with, without a broker: a driver, a log in memory, a simulator.

from streams.engine.testing import Driver

def test_a_sale_lowers_the_shelf() -> None:
    driver = Driver(VIEW)
    driver.send("sku-1", counted("sku-1", 5))
    driver.send("sku-1", sold("sku-1", 2))
    assert driver.last(LEVELS)["sku-1:haarlem"].available == 3
"""

from streams.engine.testing.coding import Plain
from streams.engine.testing.driver import Driver
from streams.engine.testing.memory_log import MemoryLog

__all__ = ["Driver", "MemoryLog", "Plain"]
