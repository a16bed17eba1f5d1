"""Runs every test, prints what was measured. With arguments: those tests whose names contain one of them."""

import signal
import sys
import unittest

import figures
from fleet import HERE


class Reporter(unittest.TextTestResult):
    """Counts what passed, too."""

    passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1

    def addError(self, test: unittest.TestCase, error: tuple) -> None:
        super().addError(test, error)
        if error[0] is SystemExit:
            self.stop()


def main() -> int:
    # An end from outside unwinds the test, which ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{part}*" for part in sys.argv[1:]] or None
    tests = loader.discover(str(HERE))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Reporter).run(tests)
    failed = len(result.failures) + len(result.errors)
    print(f"\n{figures.table()}\n\n{result.passed} passed, {failed} failed", flush=True)
    return 0 if result.wasSuccessful() and result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
