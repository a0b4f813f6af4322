// Uses an api-server as controllers written in Go do: typed client, shared informer, metadata client. Prints what it
// has seen as one JSON object. Arguments: kubeconfig, content type. With the argument `rewrite` alone it writes the
// objects of the list that it reads as kube-apiserver does, with `members` which lists these never lack.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

type report struct {
	ContentTypes map[string]int `json:"contentTypes"`
	Protocols    map[string]int `json:"protocols"`
	Limit        string         `json:"limit"`
	Surge        string         `json:"surge"`
	Secret       string         `json:"secret"`
	Listed       []string       `json:"listed"`
	Continued    bool           `json:"continued"`
	Conflict     bool           `json:"conflict"`
	NotFound     bool           `json:"notFound"`
	Invalid      int            `json:"invalid"`
	Events       []string       `json:"events"`
	Metadata     []string       `json:"metadata"`

	DeploymentFields int `json:"deploymentFields"`
	Documents        int `json:"documents"`
}

// Notes what answers look like on the wire.
type observer struct {
	next  http.RoundTripper
	mutex sync.Mutex
	seen  *report
}

func (o *observer) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.next.RoundTrip(request)
	if err == nil {
		o.mutex.Lock()
		o.seen.ContentTypes[response.Header.Get("Content-Type")]++
		o.seen.Protocols[response.Proto]++
		o.mutex.Unlock()
	}
	return response, err
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	switch os.Args[1] {
	case "rewrite":
		rewrite(os.Stdin, os.Stdout)
		return
	case "members":
		members(os.Stdin, os.Stdout)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	seen := &report{ContentTypes: map[string]int{}, Protocols: map[string]int{}}
	config := must(clientcmd.BuildConfigFromFlags("", os.Args[1]))
	config.ContentType = os.Args[2]
	config.AcceptContentTypes = os.Args[2]
	config.QPS = -1
	unobserved := rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &observer{next: next, seen: seen} })
	client := must(kubernetes.NewForConfig(config))
	namespace := must(client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "go-"},
	}, metav1.CreateOptions{})).Name

	watchConfigMaps(ctx, client, namespace, seen)
	writeAndRead(ctx, client, namespace, seen)
	list(ctx, client, namespace, seen)

	metadataClient := must(metadata.NewForConfig(config))
	configMaps := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	for _, item := range must(metadataClient.Resource(configMaps).Namespace(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: "kept=yes",
	})).Items {
		seen.Metadata = append(seen.Metadata, item.Name)
	}
	readOpenAPI(must(discovery.NewDiscoveryClientForConfig(unobserved)).OpenAPIV3(), seen)
	must(0, json.NewEncoder(os.Stdout).Encode(seen))
}

// An informer lists, or asks for initial events, and then watches: what it sees is in `Events`.
func watchConfigMaps(ctx context.Context, client kubernetes.Interface, namespace string, seen *report) {
	configMaps := client.CoreV1().ConfigMaps(namespace)
	one := must(configMaps.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "one", Labels: map[string]string{"kept": "yes"}},
		BinaryData: map[string][]byte{"b": {0, 255}},
	}, metav1.CreateOptions{}))
	events := make(chan string, 100)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	must(informer.AddEventHandler(cache.FilteringResourceEventHandler{
		FilterFunc: func(object any) bool {
			configMap, ok := object.(*corev1.ConfigMap)
			return ok && configMap.Name != "kube-root-ca.crt"
		},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc: func(object any) { events <- "added " + object.(*corev1.ConfigMap).Name },
			UpdateFunc: func(_, object any) {
				events <- fmt.Sprintf("updated %s %s", object.(*corev1.ConfigMap).Name, object.(*corev1.ConfigMap).Data["a"])
			},
			DeleteFunc: func(object any) { events <- "deleted " + object.(*corev1.ConfigMap).Name },
		},
	}))
	factory.StartWithContext(ctx)
	cache.WaitForCacheSync(ctx.Done(), informer.HasSynced)
	next := func() { seen.Events = append(seen.Events, <-events) }
	next()
	one.Data = map[string]string{"a": "b"}
	must(configMaps.Update(ctx, one, metav1.UpdateOptions{}))
	next()
	_, err := configMaps.Update(ctx, one, metav1.UpdateOptions{})
	seen.Conflict = apierrors.IsConflict(err)
	must(configMaps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "two"}}, metav1.CreateOptions{}))
	next()
	must(0, configMaps.Delete(ctx, "two", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{}}))
	next()
	_, err = configMaps.Get(ctx, "two", metav1.GetOptions{})
	seen.NotFound = apierrors.IsNotFound(err)
}

// Fields whose forms in JSON and protobuf differ.
func writeAndRead(ctx context.Context, client kubernetes.Interface, namespace string, seen *report) {
	surge := intstr.FromString("25%")
	labels := map[string]string{"app": "web"}
	deployments := client.AppsV1().Deployments(namespace)
	must(deployments.Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name:  "main",
					Image: "web:1",
					Resources: corev1.ResourceRequirements{
						Limits: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1500m")},
					},
				}}},
			},
		},
	}, metav1.CreateOptions{}))
	web := must(deployments.Patch(ctx, "web", types.StrategicMergePatchType,
		[]byte(`{"metadata":{"annotations":{"patched":"yes"}}}`), metav1.PatchOptions{}))
	seen.Limit = web.Spec.Template.Spec.Containers[0].Resources.Limits.Cpu().String() + " " + web.Annotations["patched"]
	seen.Surge = web.Spec.Strategy.RollingUpdate.MaxSurge.String()
	secrets := client.CoreV1().Secrets(namespace)
	must(secrets.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "s"},
		Data:       map[string][]byte{"password": []byte("pass\xff")},
	}, metav1.CreateOptions{}))
	seen.Secret = fmt.Sprintf("%x", must(secrets.Get(ctx, "s", metav1.GetOptions{})).Data["password"])
	_, err := deployments.Create(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "Bad Name"}}, metav1.CreateOptions{})
	if status := apierrors.APIStatus(nil); err != nil {
		status = err.(apierrors.APIStatus)
		seen.Invalid = len(status.Status().Details.Causes)
	}
}

func list(ctx context.Context, client kubernetes.Interface, namespace string, seen *report) {
	configMaps := client.CoreV1().ConfigMaps(namespace)
	for i := range 5 {
		must(configMaps.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("list-%d", i), Labels: map[string]string{"in": "list"}},
		}, metav1.CreateOptions{}))
	}
	options := metav1.ListOptions{LabelSelector: "in=list", Limit: 2}
	for {
		page := must(configMaps.List(ctx, options))
		for _, item := range page.Items {
			seen.Listed = append(seen.Listed, item.Name)
		}
		if page.Continue == "" {
			return
		}
		seen.Continued = true
		options.Continue = page.Continue
	}
}
