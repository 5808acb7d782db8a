/** Handles Ctrl-C and termination: the run is abandoned, the cluster is removed, and the exit code names the signal. */

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Further signals are ignored while the cluster is being removed: exiting early would leave half of it behind. */
export function onInterrupt(takeDown: () => Promise<unknown>, print: (line: string) => void): void {
  let isStopping = false;
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      print('\nInterrupted; removing the cluster ...');
      void takeDown().then(
        () => process.exit(code),
        (error: unknown) => {
          print(`The cluster could not be removed: ${String(error)}\nTry again with: npm run demo -- --down`);
          process.exit(code);
        },
      );
    });
  }
}
