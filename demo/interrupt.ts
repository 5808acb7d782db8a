/** Ctrl-C: whatever is under way is dropped, the cluster is taken down, and the shell is told so. */

const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The first signal takes down; further ones do not hurry it, for half a cluster would be left. */
export function onInterrupt(takeDown: () => Promise<unknown>, say: (line: string) => void): void {
  let ending = false;
  for (const [signal, code] of Object.entries(CODES)) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      say('\nInterrupted; taking the cluster down ...');
      void takeDown().then(
        () => process.exit(code),
        (error: unknown) => {
          say(`It could not be taken down: ${String(error)}\nTry again: npm run demo -- --down`);
          process.exit(code);
        },
      );
    });
  }
}
