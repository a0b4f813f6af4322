import type { IService } from 'kubernetes-models/v1/Service';
import type { Stored } from '../stored.ts';

export type Service = Stored<IService, 'spec'>;
