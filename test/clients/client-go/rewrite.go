package main

import (
	"encoding/json"
	"io"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// What the Go types know how to be stored as.
type message interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

// Reads a List, makes each item an object of its Go type, stores it and reads it again as kube-apiserver does (in
// protobuf, which has no empty lists), and writes an array of what Go writes for them.
func rewrite(in io.Reader, out io.Writer) {
	var list struct{ Items []json.RawMessage }
	must(0, json.NewDecoder(in).Decode(&list))
	written := make([]any, 0, len(list.Items))
	for _, item := range list.Items {
		var kind metav1.TypeMeta
		must(0, json.Unmarshal(item, &kind))
		object := must(scheme.Scheme.New(schema.FromAPIVersionAndKind(kind.APIVersion, kind.Kind)))
		must(0, json.Unmarshal(item, object))
		stored := reflect.New(reflect.TypeOf(object).Elem()).Interface().(message)
		must(0, stored.Unmarshal(must(object.(message).Marshal())))
		// Which kind it is stands around what is stored.
		reflect.ValueOf(stored).Elem().FieldByName("TypeMeta").Set(reflect.ValueOf(kind))
		written = append(written, stored)
	}
	must(0, json.NewEncoder(out).Encode(written))
}
