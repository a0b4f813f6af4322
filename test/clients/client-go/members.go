package main

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// Reads an array of kinds ([apiVersion, kind]), and writes for each which lists, maps and pointers Go never leaves out,
// as paths: `spec.drivers`, `spec.drivers.[].topologyKeys`.
func members(in io.Reader, out io.Writer) {
	var kinds [][2]string
	must(0, json.NewDecoder(in).Decode(&kinds))
	found := map[string][]string{}
	for _, kind := range kinds {
		known, ok := scheme.Scheme.AllKnownTypes()[schema.FromAPIVersionAndKind(kind[0], kind[1])]
		if !ok {
			continue
		}
		visit(known, nil, func(path string) {
			id := kind[0] + "." + kind[1]
			found[id] = append(found[id], path)
		})
	}
	must(0, json.NewEncoder(out).Encode(found))
}

func visit(of reflect.Type, path []string, found func(path string)) {
	switch of.Kind() {
	case reflect.Pointer:
		visit(of.Elem(), path, found)
	case reflect.Slice:
		visit(of.Elem(), append(path, "[]"), found)
	case reflect.Map:
		visit(of.Elem(), append(path, "{}"), found)
	case reflect.Struct:
		if !reflect.PointerTo(of).Implements(reflect.TypeFor[json.Marshaler]()) {
			visitMembers(of, path, found)
		}
	}
}

func visitMembers(of reflect.Type, path []string, found func(path string)) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			visit(field.Type, path, found)
			continue
		}
		at := append(path, name)
		kind := field.Type.Kind()
		if !strings.Contains(options, "omitempty") && (kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map) {
			found(strings.Join(at, "."))
		}
		visit(field.Type, at, found)
	}
}
