/** `npm run demo`: the tour in one command. */
import { takeDown } from './teardown.js';
import { parseFlags, USAGE } from './flags.js';
import { onInterrupt } from './interrupt.js';
import { inUse, lacks } from './preconditions.js';
import { tour } from './story.js';

const say = (line: string) => console.log(line);

/** The exit code. */
async function main(args: readonly string[]): Promise<number> {
  const wish = parseFlags(args);
  if (wish.do === 'help') {
    say(USAGE);
    return 0;
  }
  if (wish.do === 'refuse') {
    console.error(`${wish.why}\n\n${USAGE}`);
    return 2;
  }
  const obstacles = [...(wish.do === 'tour' ? lacks() : []), ...inUse(wish.index)];
  if (obstacles.length > 0) {
    console.error(['This cannot be done here:', ...obstacles].join('\n- '));
    return 1;
  }
  onInterrupt(() => takeDown(wish.index, say), say);
  const held = wish.do === 'tour' ? await tour(wish, say) : await takeDown(wish.index, say);
  return held ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
