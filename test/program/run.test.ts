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

/** A process context that records what the program does with it. */
function recordedProcess() {
  const seen = { printed: '', printedErrors: '', code: undefined as number | undefined, stop: (_signal: string) => {} };
  const context: ProcessContext = {
    env: { A: 'b' },
    argv: ['--x'],
    print: text => void (seen.printed += `${text}\n`),
    printError: text => void (seen.printedErrors += `${text}\n`),
    exit: code => void (seen.code ??= code),
    onStop: stop => void (seen.stop = stop),
    log: silentLog,
  };
  return { seen, context };
}

describe('runProgram', () => {
  test('exits with 0 when its work is done, after reading environment and flags', async () => {
    const { seen, context } = recordedProcess();
    const got: unknown[] = [];
    const read = (env: object, argv: readonly string[]): BaseConfig => {
      got.push(env, argv);
      return {};
    };
    await runProgram('p', read, async () => undefined, context);
    expect(got).toEqual([{ A: 'b' }, ['--x']]);
    expect(seen.code).toBe(0);
  });

  test('exits with 1 after an error', async () => {
    const { seen, context } = recordedProcess();
    await runProgram(
      'p',
      () => ({}),
      async () => Promise.reject(new Error('broken')),
      context,
    );
    expect(seen.code).toBe(1);
  });

  test('exits with 2 after mistakes in the settings, which it prints, without starting its work', async () => {
    const { seen, context } = recordedProcess();
    const read = (): BaseConfig => {
      throw new ConfigFaults(['A: bad', 'B: worse']);
    };
    let started = false;
    await runProgram('p', read, async () => void (started = true), context);
    expect([seen.code, started]).toEqual([2, false]);
    expect(seen.printedErrors).toContain('A: bad\n  B: worse');
  });

  test('exits with 0 after printing a requested text', async () => {
    const { seen, context } = recordedProcess();
    const read = (): BaseConfig => {
      throw new PrintRequest('p 1.0');
    };
    await runProgram('p', read, async () => undefined, context);
    expect([seen.code, seen.printed]).toEqual([0, 'p 1.0\n']);
  });

  test.each([
    ['returns', async () => undefined],
    ['throws the reason of the abort signal', async (signal: AbortSignal) => signal.throwIfAborted()],
  ])('exits with 0 after SIGTERM when the work %s', async (_sentence, after) => {
    const { seen, context } = recordedProcess();
    const main = async ({ signal }: ProgramContext<BaseConfig>) => {
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      await after(signal);
    };
    const done = runProgram('p', () => ({}), main, context);
    seen.stop('SIGTERM');
    await done;
    expect(seen.code).toBe(0);
  });

  test('exits with 1 when the health port is taken', async () => {
    const first = recordedProcess();
    const second = recordedProcess();
    await runProgram(
      'p',
      () => ({}),
      async ({ health }) => {
        const healthPort = await health.listen(0, '::');
        await runProgram(
          'q',
          () => ({ healthPort }),
          async () => undefined,
          second.context,
        );
      },
      first.context,
    );
    expect([first.seen.code, second.seen.code]).toEqual([0, 1]);
  });
});
