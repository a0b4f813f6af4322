import type { DynamicFilter } from '../plugin.ts';
import type { Volume } from '../volumes/volume-catalog.ts';

const NO_ZONE = ['node(s) had no available volume zone'];

const ZONE_LABELS = [
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
];

/** A volume of several zones names them all: `a__b`. */
const zonesOf = ({ metadata }: Volume): [label: string, zones: readonly string[]][] =>
  ZONE_LABELS.flatMap((label) => {
    const zones = metadata.labels?.[label];
    return zones === undefined ? [] : [[label, zones.split('__')]];
  });

const prepare: DynamicFilter['prepare'] = ({ claims }, { volumes, nodes }) => {
  if (!claims) return null;
  const wanted = claims.flatMap((key) => {
    const volume = volumes.volume(volumes.claim(key)?.spec.volumeName ?? '');
    return volume ? zonesOf(volume) : [];
  });
  if (wanted.length === 0) return null;
  return (slot) => {
    const labels = nodes[slot]!.metadata.labels ?? {};
    if (!ZONE_LABELS.some((label) => labels[label] !== undefined)) return null;
    return wanted.every(([label, zones]) => zones.includes(labels[label] ?? '')) ? null : NO_ZONE;
  };
};

/** Volumes that say in their labels what zone they are in. Nodes of clusters without zones take all. */
export const volumeZone: DynamicFilter = {
  name: 'VolumeZone',
  wakesOn: ['NodeAdded', 'NodeLabels', 'VolumeChanged'],
  prepare,
  prepareLasting: prepare,
  reaches: ({ claims }, { claim = null }) => claims !== null && (claim === null || claims.includes(claim)),
};
