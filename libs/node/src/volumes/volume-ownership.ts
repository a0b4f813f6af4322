import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodSpec } from '../pod/pod-types.ts';

type SecurityContext = NonNullable<PodSpec['securityContext']>;

const GROUP_ACCESS = 0o060;
const GROUP_SEARCH = 0o010;
/** Hands the group on to what is made in a directory. */
const SET_GROUP_ID = 0o2000;

/**
 * Gives a volume to the pod's fsGroup: the group may read and write whatever is in it, and what is made in it.
 * https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods
 */
export async function giveToGroup(path: string, { fsGroup, fsGroupChangePolicy }: SecurityContext): Promise<void> {
  if (fsGroup === undefined) return;
  if (fsGroupChangePolicy === 'OnRootMismatch') {
    const { gid, mode } = await lstat(path);
    const wanted = GROUP_ACCESS | GROUP_SEARCH | SET_GROUP_ID;
    if (gid === fsGroup && (mode & wanted) === wanted) return;
  }
  await giveAll(path, fsGroup);
}

/** The root last: with it, everything below is done. */
async function giveAll(path: string, group: number): Promise<void> {
  const { uid, mode } = await lstat(path);
  const isDirectory = (mode & 0o170000) === 0o040000;
  if (isDirectory) for (const name of await readdir(path)) await giveAll(join(path, name), group);
  await lchown(path, uid, group);
  if ((mode & 0o170000) === 0o120000) return;
  await chmod(path, (mode & 0o7777) | GROUP_ACCESS | (isDirectory ? GROUP_SEARCH | SET_GROUP_ID : 0));
}
