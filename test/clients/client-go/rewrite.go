package main

import (
	"encoding/json"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// Reads a List, makes each item an object of its Go type, and writes an array of what Go writes for them.
func rewrite(in io.Reader, out io.Writer) {
	var list struct{ Items []json.RawMessage }
	must(0, json.NewDecoder(in).Decode(&list))
	written := make([]any, 0, len(list.Items))
	for _, item := range list.Items {
		var kind metav1.TypeMeta
		must(0, json.Unmarshal(item, &kind))
		object := must(scheme.Scheme.New(schema.FromAPIVersionAndKind(kind.APIVersion, kind.Kind)))
		must(0, json.Unmarshal(item, object))
		written = append(written, object)
	}
	must(0, json.NewEncoder(out).Encode(written))
}
