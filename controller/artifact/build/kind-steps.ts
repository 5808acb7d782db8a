/** From a root file system to artifacts: one row for each step, in the order in which the steps run. */
import type { KindStepName } from '../../../api/artifact-kinds.js';
import type { Build } from './build.js';
import type { Step } from './container.js';
import { diskStep } from './disk-steps.js';
import { isoStep, netbootStep } from './iso-steps.js';
import { type KindStepBuilder, kindStep } from './kind-step-builder.js';
import { ukiContainerStep, ukiFileStep, ukiIsoStep } from './uki-steps.js';

const BUILDERS: Readonly<Record<KindStepName, KindStepBuilder>> = {
  'build-uki-iso': ukiIsoStep,
  'build-uki-container': ukiContainerStep,
  'build-uki-uki': ukiFileStep,
  'build-iso': isoStep,
  'build-netboot': netbootStep,
  'build-cloud-image': diskStep('disk.raw', '*.raw'),
  'build-azure-cloud-image': diskStep('disk.vhd', '*.vhd'),
  'build-gce-cloud-image': diskStep('disk.gce', '*.raw.gce.tar.gz'),
};

export const kindSteps = (build: Build): Step[] =>
  Object.entries(BUILDERS).flatMap(([step, builder]) =>
    build.outputs.filter(output => output.step === step).map(output => kindStep(output, build, builder)),
  );
