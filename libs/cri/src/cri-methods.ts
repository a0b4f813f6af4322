import { criProto, method } from '@periplus/proto';

const v1 = criProto.v1;
const runtime = (name: string): string => `/runtime.v1.RuntimeService/${name}`;
const images = (name: string): string => `/runtime.v1.ImageService/${name}`;

/** The methods of CRI that the node uses, for grpc-js. */
export const criMethods = {
  version: method(runtime('Version'), v1.VersionRequest, v1.VersionResponse),
  status: method(runtime('Status'), v1.StatusRequest, v1.StatusResponse),
  runPodSandbox: method(runtime('RunPodSandbox'), v1.RunPodSandboxRequest, v1.RunPodSandboxResponse),
  stopPodSandbox: method(runtime('StopPodSandbox'), v1.StopPodSandboxRequest, v1.StopPodSandboxResponse),
  removePodSandbox: method(runtime('RemovePodSandbox'), v1.RemovePodSandboxRequest, v1.RemovePodSandboxResponse),
  podSandboxStatus: method(runtime('PodSandboxStatus'), v1.PodSandboxStatusRequest, v1.PodSandboxStatusResponse),
  listPodSandbox: method(runtime('ListPodSandbox'), v1.ListPodSandboxRequest, v1.ListPodSandboxResponse),
  createContainer: method(runtime('CreateContainer'), v1.CreateContainerRequest, v1.CreateContainerResponse),
  startContainer: method(runtime('StartContainer'), v1.StartContainerRequest, v1.StartContainerResponse),
  stopContainer: method(runtime('StopContainer'), v1.StopContainerRequest, v1.StopContainerResponse),
  removeContainer: method(runtime('RemoveContainer'), v1.RemoveContainerRequest, v1.RemoveContainerResponse),
  listContainers: method(runtime('ListContainers'), v1.ListContainersRequest, v1.ListContainersResponse),
  containerStatus: method(runtime('ContainerStatus'), v1.ContainerStatusRequest, v1.ContainerStatusResponse),
  listContainerStats: method(
    runtime('ListContainerStats'),
    v1.ListContainerStatsRequest,
    v1.ListContainerStatsResponse,
  ),
  updateContainerResources: method(
    runtime('UpdateContainerResources'),
    v1.UpdateContainerResourcesRequest,
    v1.UpdateContainerResourcesResponse,
  ),
  updateRuntimeConfig: method(
    runtime('UpdateRuntimeConfig'),
    v1.UpdateRuntimeConfigRequest,
    v1.UpdateRuntimeConfigResponse,
  ),
  reopenContainerLog: method(
    runtime('ReopenContainerLog'),
    v1.ReopenContainerLogRequest,
    v1.ReopenContainerLogResponse,
  ),
  execSync: method(runtime('ExecSync'), v1.ExecSyncRequest, v1.ExecSyncResponse),
  listImages: method(images('ListImages'), v1.ListImagesRequest, v1.ListImagesResponse),
  imageStatus: method(images('ImageStatus'), v1.ImageStatusRequest, v1.ImageStatusResponse),
  pullImage: method(images('PullImage'), v1.PullImageRequest, v1.PullImageResponse),
  removeImage: method(images('RemoveImage'), v1.RemoveImageRequest, v1.RemoveImageResponse),
};
