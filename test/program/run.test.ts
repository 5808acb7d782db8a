import { describe, expect, test } from '@jest/globals';
import { silentLog } from '../../program/log.js';
import {
  type BaseConfig,
  ConfigFaults,
  type ProgramContext,
  runProgram,
  PrintRequest,
  type ProcessContext,
} from '../../program/run.js';

/** A process that is only written down. */
function stage() {
  const seen = { printed: '', complained: '', code: undefined as number | undefined, stop: (_why: string) => {} };
  const around: ProcessContext = {
    env: { A: 'b' },
    argv: ['--x'],
    print: text => void (seen.printed += `${text}\n`),
    printError: text => void (seen.complained += `${text}\n`),
    exit: code => void (seen.code ??= code),
    onStop: stop => void (seen.stop = stop),
    log: silentLog,
  };
  return { seen, around };
}

describe('how a program ends', () => {
  test('with 0 when its work is done; its settings come from environment and flags', async () => {
    const { seen, around } = stage();
    const got: unknown[] = [];
    const read = (env: object, argv: readonly string[]): BaseConfig => {
      got.push(env, argv);
      return {};
    };
    await runProgram('p', read, async () => undefined, around);
    expect(got).toEqual([{ A: 'b' }, ['--x']]);
    expect(seen.code).toBe(0);
  });

  test('with 1 after an error', async () => {
    const { seen, around } = stage();
    await runProgram(
      'p',
      () => ({}),
      async () => Promise.reject(new Error('broken')),
      around,
    );
    expect(seen.code).toBe(1);
  });

  test('with 2 after mistakes in the settings, all of them named, and no work begun', async () => {
    const { seen, around } = stage();
    const read = (): BaseConfig => {
      throw new ConfigFaults(['A: bad', 'B: worse']);
    };
    let begun = false;
    await runProgram('p', read, async () => void (begun = true), around);
    expect([seen.code, begun]).toEqual([2, false]);
    expect(seen.complained).toContain('A: bad\n  B: worse');
  });

  test('with 0 after a word that was asked for', async () => {
    const { seen, around } = stage();
    const read = (): BaseConfig => {
      throw new PrintRequest('p 1.0');
    };
    await runProgram('p', read, async () => undefined, around);
    expect([seen.code, seen.printed]).toEqual([0, 'p 1.0\n']);
  });

  test.each([
    ['ends in order', async () => undefined],
    ['throws what the signal said', async (signal: AbortSignal) => signal.throwIfAborted()],
  ])('with 0 after SIGTERM when the work %s', async (_sentence, after) => {
    const { seen, around } = stage();
    const main = async ({ signal }: ProgramContext<BaseConfig>) => {
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      await after(signal);
    };
    const done = runProgram('p', () => ({}), main, around);
    seen.stop('SIGTERM');
    await done;
    expect(seen.code).toBe(0);
  });

  test('with 1 when the health port is taken', async () => {
    const first = stage();
    const second = stage();
    await runProgram(
      'p',
      () => ({}),
      async ({ health }) => {
        const healthPort = await health.listen(0, '::');
        await runProgram(
          'q',
          () => ({ healthPort }),
          async () => undefined,
          second.around,
        );
      },
      first.around,
    );
    expect([first.seen.code, second.seen.code]).toEqual([0, 1]);
  });
});
