import Sequencer from '@jest/test-sequencer';

/** Stories share one cluster: they run in the same order on every machine, whatever it remembers of earlier runs. */
export default class ByName extends Sequencer {
  sort(tests) {
    return [...tests].sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}
