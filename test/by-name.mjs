import Sequencer from '@jest/test-sequencer';

/** Runs test files in the order of their paths. Stories share a cluster, so jest's order by previous durations would make runs differ between machines. */
export default class ByName extends Sequencer {
  sort(tests) {
    return [...tests].sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}
