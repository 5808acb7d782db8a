/** Entry point of `npm run demo`. */
import { takeDown } from './teardown.js';
import { parseFlags, USAGE } from './flags.js';
import { onInterrupt } from './interrupt.js';
import { indexInUse, missingRequirements } from './preconditions.js';
import { tour } from './tour.js';

const print = (line: string) => console.log(line);

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseFlags(args);
  if (options.do === 'help') {
    print(USAGE);
    return 0;
  }
  if (options.do === 'reject') {
    console.error(`${options.reason}\n\n${USAGE}`);
    return 2;
  }
  const problems = [...(options.do === 'tour' ? missingRequirements() : []), ...indexInUse(options.index)];
  if (problems.length > 0) {
    console.error(['The demo cannot run:', ...problems].join('\n- '));
    return 1;
  }
  onInterrupt(() => takeDown(options.index, print), print);
  const passed = options.do === 'tour' ? await tour(options, print) : await takeDown(options.index, print);
  return passed ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
