/** Prints the sum of a Jest result file (`--json --outputFile`) as `N passed, N failed, N skipped`; exit code 1 when something failed, or nothing ran. */
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const { passed, failed, skipped } = tally(file);
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function tally(path) {
  let result;
  try {
    result = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    process.stderr.write(`the tests left no result: ${error.message}\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return {
    passed: result.numPassedTests,
    // A file that could not even be loaded has no failed test of its own.
    failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}
