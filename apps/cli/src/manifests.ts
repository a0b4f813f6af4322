import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { KUBERNETES_YAML } from '@periplus/apimachinery';
import { parseAllDocuments } from 'yaml';

/** An object of a file. What else is in it is for the api-server to judge. */
export interface Manifest {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string };
}

/** The most that is read of a file; a transaction is limited to less by etcd. */
const FILE_BYTES_MAX = 16 << 20;

const read = async (file: string): Promise<string> => (file === '-' ? text(process.stdin) : readFileSync(file, 'utf8'));

const isList = ({ kind }: Manifest): boolean => kind === 'List';

/** The objects of YAML or JSON files in their order, `-` for standard input; Lists are taken apart. */
export async function readManifests(files: readonly string[]): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for (const file of files) {
    const content = await read(file);
    if (content.length > FILE_BYTES_MAX) throw new Error(`${file} is larger than ${FILE_BYTES_MAX >> 20} MiB`);
    for (const document of parseAllDocuments(content, KUBERNETES_YAML)) {
      const [problem] = 'errors' in document ? document.errors : [];
      if (problem) throw new Error(`error parsing ${file}: ${problem.message.split('\n', 1)[0]}`);
      const value = document.toJS() as Manifest | null;
      if (value === null) continue;
      if (typeof value !== 'object') throw new Error(`error parsing ${file}: it holds something that is no object`);
      manifests.push(...(isList(value) ? ((value as { items?: Manifest[] }).items ?? []) : [value]));
    }
  }
  return manifests;
}
