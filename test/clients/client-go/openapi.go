package main

import (
	"fmt"
	"os"
	"reflect"

	openapiv3 "github.com/google/gnostic-models/openapiv3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/openapi3"
)

const (
	openAPIJSON     = "application/json"
	openAPIProtobuf = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
)

// Reads every OpenAPI v3 document in both forms. Gnostic makes of the JSON what the protobuf has to say.
func readOpenAPI(client openapi.Client, seen *report) {
	root := openapi3.NewRoot(client)
	apps := must(root.GVSpec(schema.GroupVersion{Group: "apps", Version: "v1"}))
	deployment := apps.Components.Schemas["io.k8s.api.apps.v1.Deployment"]
	seen.DeploymentFields = len(deployment.Properties)
	for path, groupVersion := range must(client.Paths()) {
		document := &openapiv3.Document{}
		must(0, proto.Unmarshal(must(groupVersion.Schema(openAPIProtobuf)), document))
		expected := must(openapiv3.ParseDocument(must(groupVersion.Schema(openAPIJSON))))
		if !reflect.DeepEqual(contentOf(document), contentOf(expected)) {
			fmt.Fprintf(os.Stderr, "the two forms of %s differ\n", path)
			os.Exit(1)
		}
		seen.Documents++
	}
}

func contentOf(document *openapiv3.Document) (content any) {
	must(0, yaml.Unmarshal(must(document.YAMLValue("")), &content))
	return content
}
