/**
 * Writes dist/samples/hello.tar, the image of samples/hello.yaml: busybox in an OCI archive, made without Docker
 * and without a registry. Load it with `periplus image import`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findStaticBusybox, helloImage } from '@periplus/containerd';

const folder = join(import.meta.dirname, '../dist/samples');
const busybox = findStaticBusybox();
if (busybox) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'hello.tar'), helloImage(busybox));
} else {
  console.log('sample image: skipped, there is no statically linked busybox (Debian package busybox-static)');
}
