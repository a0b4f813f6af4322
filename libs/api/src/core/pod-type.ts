import type { IPod } from 'kubernetes-models/v1/Pod';
import type { Stored } from '../stored.ts';

export type Pod = Stored<IPod, 'spec'>;
