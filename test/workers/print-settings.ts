/** Prints the settings of the project in the current folder as JSON, or the error's code and message. */
import { loadSettings } from '../../workers/config.ts';

const result = await loadSettings().catch((error: Error) => ({ error: error.name, message: error.message }));
process.stdout.write(JSON.stringify(result));
