import type { DynamicFilter } from '../plugin.ts';
import type { VolumeCatalog } from '../volumes/volume-catalog.ts';

const TOO_MANY = ['node(s) exceed max volume count'];

/** The driver that attaches the claim's volume, and what tells the volume from others; null for other volumes. */
function attachment(key: string, volumes: VolumeCatalog): { driver: string; handle: string } | null {
  const claim = volumes.claim(key);
  if (!claim) return null;
  const csi = volumes.volume(claim.spec.volumeName ?? '')?.spec.csi;
  if (csi) return { driver: csi.driver, handle: csi.volumeHandle };
  if (claim.spec.volumeName) return null;
  // It will be of the driver of its class, whose provisioner has that name.
  const driver = volumes.classOf(claim)?.provisioner;
  return driver === undefined ? null : { driver, handle: key };
}

/** Drivers attach so many volumes to a node. https://kubernetes.io/docs/concepts/storage/storage-limits/ */
export const nodeVolumeLimits: DynamicFilter = {
  name: 'NodeVolumeLimits',
  wakesOn: ['NodeAdded', 'PodGone', 'VolumeChanged'],
  prepare({ claims }, table) {
    const { volumes, nodes } = table;
    const wanted = (claims ?? []).flatMap((key) => attachment(key, volumes) ?? []);
    if (wanted.length === 0) return null;
    return (slot) => {
      const { name = '' } = nodes[slot]!.metadata;
      const limits = new Map(
        volumes.csiNode(name)?.spec.drivers?.map(({ name: driver, allocatable }) => [driver, allocatable?.count]),
      );
      if (!wanted.some(({ driver }) => limits.get(driver) !== undefined)) return null;
      const attached = new Map(wanted.map(({ driver }) => [driver, new Set<string>()]));
      const attach = (key: string): void => {
        const one = attachment(key, volumes);
        if (one) attached.get(one.driver)?.add(one.handle);
      };
      for (const pod of table.podsOn(name).values()) for (const key of pod.claims ?? []) attach(key);
      const before = new Map([...attached].map(([driver, handles]) => [driver, handles.size]));
      for (const key of claims ?? []) attach(key);
      for (const [driver, handles] of attached) {
        const limit = limits.get(driver);
        if (limit !== undefined && handles.size > limit && handles.size > before.get(driver)!) return TOO_MANY;
      }
      return null;
    };
  },
  reaches: ({ claims }, { claim = null }) => claims !== null && (claim === null || claims.includes(claim)),
};
