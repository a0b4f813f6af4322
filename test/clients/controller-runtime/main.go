// A manager as operators are built with: leader election, a cache, and a controller that owns Deployments. It makes one
// for every ConfigMap with the label `web`, keeps its replicas as the ConfigMap says, and writes down in the ConfigMap
// what it has seen. Ends, with a report as JSON, when it was asked to by the ConfigMap `done`. Argument: kubeconfig.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	namespace = "operated"
	label     = "web"
	finalizer = "test.periplus.dev/cleanup"
)

type reconciler struct {
	client.Client
	stop    context.CancelFunc
	cleaned []string
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var configMap corev1.ConfigMap
	if err := r.Get(ctx, request.NamespacedName, &configMap); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if configMap.Name == "done" {
		r.stop()
		return ctrl.Result{}, nil
	}
	if configMap.Labels[label] == "" {
		return ctrl.Result{}, nil
	}
	if !configMap.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.cleanUp(ctx, &configMap)
	}
	if controllerutil.AddFinalizer(&configMap, finalizer) {
		if err := r.Update(ctx, &configMap); err != nil {
			return ctrl.Result{}, err
		}
	}
	deployment := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: configMap.Name, Namespace: namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, &deployment, func() error {
		replicas, err := strconv.Atoi(configMap.Data["replicas"])
		if err != nil {
			return err
		}
		labels := map[string]string{"app": configMap.Name}
		wanted := int32(replicas)
		deployment.Spec.Replicas = &wanted
		deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		deployment.Spec.Template.Labels = labels
		if len(deployment.Spec.Template.Spec.Containers) == 0 {
			deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "main", Image: "web:1"}}
		}
		return controllerutil.SetControllerReference(&configMap, &deployment, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	before := configMap.DeepCopy()
	metav1.SetMetaDataAnnotation(&configMap.ObjectMeta, "seen", fmt.Sprint(deployment.Generation))
	return ctrl.Result{}, r.Patch(ctx, &configMap, client.MergeFrom(before))
}

func (r *reconciler) cleanUp(ctx context.Context, configMap *corev1.ConfigMap) error {
	if !controllerutil.RemoveFinalizer(configMap, finalizer) {
		return nil
	}
	r.cleaned = append(r.cleaned, configMap.Name)
	err := r.Update(ctx, configMap)
	if apierrors.IsConflict(err) {
		r.cleaned = r.cleaned[:len(r.cleaned)-1]
	}
	return err
}

func run() error {
	ctrl.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	manager, err := ctrl.NewManager(config, ctrl.Options{
		LeaderElection:                true,
		LeaderElectionID:              "test-operator",
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
		Metrics:                       server.Options{BindAddress: "0"},
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
	})
	if err != nil {
		return err
	}
	r := &reconciler{Client: manager.GetClient(), stop: stop}
	err = ctrl.NewControllerManagedBy(manager).For(&corev1.ConfigMap{}).Owns(&appsv1.Deployment{}).Complete(r)
	if err != nil {
		return err
	}
	if err := manager.Start(ctx); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"cleaned": r.cleaned})
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
