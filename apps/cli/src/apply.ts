import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openResourceClient } from '@periplus/client';
import { clusterFolder, loadSettings, readStatus } from '@periplus/supervisor';
import { type Manifest, readManifests } from './manifests.ts';

export interface ApplyOptions {
  name: string;
  filename: string[];
  atomic?: boolean;
  namespace: string;
  dryRun?: boolean;
  forceConflicts?: boolean;
  fieldManager: string;
}

/** As kubectl names an object: `deployment.apps/web`. */
function nameOf({ apiVersion = '', kind = '', metadata }: Manifest): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.slice(0, apiVersion.indexOf('/'))}` : '';
  return `${kind.toLowerCase()}${group}/${metadata?.name}`;
}

/** Applies the objects of files on the server, all or nothing. */
export async function apply(options: ApplyOptions): Promise<void> {
  if (!options.atomic) throw new Error('apply is only for --atomic; kubectl apply does the rest');
  const manifests = await readManifests(options.filename);
  if (manifests.length === 0) throw new Error('no objects passed to apply');
  const folder = clusterFolder(options.name);
  const settings = loadSettings(folder);
  if (!settings || !readStatus(folder)) {
    throw new Error(`cluster ${options.name} is not up; start it with: periplus up`);
  }
  const pem = (name: string): Buffer => readFileSync(join(folder.pki, name));
  const client = openResourceClient({
    targets: [`127.0.0.1:${settings.ports.grpc}`],
    tls: { ca: pem('ca.crt'), cert: pem('admin.crt'), key: pem('admin.key') },
  });
  const { namespace, fieldManager, forceConflicts: force = false, dryRun = false } = options;
  try {
    await client.applyAll(manifests, { namespace, fieldManager, force, dryRun });
  } finally {
    client.close();
  }
  const suffix = dryRun ? ' (server dry run)' : '';
  for (const manifest of manifests) process.stdout.write(`${nameOf(manifest)} serverside-applied${suffix}\n`);
}
