/**
 * A cluster on one machine: `cluster.ts` brings its processes up and takes them down, `cluster-folder.ts` says
 * where everything lies, `settings.ts` what a cluster keeps of its first `up`, `status.ts` what a running
 * supervisor tells others. `configure.ts` writes the files of a cluster whose processes somebody else runs.
 */
export { AdminApi } from './admin-api.ts';
export { Cluster, type ClusterOptions, type Progress } from './cluster.ts';
export { type ClusterFolder, clusterFolder, clusterFolders } from './cluster-folder.ts';
export { configureCluster, type RemoteCluster, secureCluster } from './configure.ts';
export { containerPaths } from './containers.ts';
export { handOut } from './hand-out.ts';
export { endLeftovers, stillRuns } from './leftovers.ts';
export { takePort } from './ports.ts';
export {
  type ClusterSettings,
  createSettings,
  defaultNodeName,
  loadSettings,
  newSettings,
  OPTIONAL_COMPONENTS,
  type OptionalComponent,
  PORT_NAMES,
  type PortName,
} from './settings.ts';
export { type ClusterStatus, type ProcessStatus, readStatus, residentBytes } from './status.ts';
