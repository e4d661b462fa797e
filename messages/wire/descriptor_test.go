package wire

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// firstOwnField is the lowest number of a field that fodc adds to a message which
// baseline peers know.
const firstOwnField = 100

// baselineFields is the wire contract's table of messages.
func baselineFields() map[protoreflect.Name][]string {
	return map[protoreflect.Name][]string{
		"RegisterAgentRequest": {"1 node_role string", "2 labels map<string,string>", "3 primary_address Address",
			"4 pod_name string", "5 container_names repeated string"},
		"Address":               {"1 ip string", "2 port int32"},
		"RegisterAgentResponse": {"1 success bool", "2 message string", "3 heartbeat_interval_seconds int64", "4 agent_id string"},
		"StreamMetricsRequest":  {"1 metrics repeated Metric", "2 timestamp google.protobuf.Timestamp"},
		"Metric": {"1 name string", "2 labels map<string,string>", "3 value double", "4 description string",
			"5 timestamp google.protobuf.Timestamp", "6 type MetricType"},
		"StreamMetricsResponse": {"1 start_time google.protobuf.Timestamp", "2 end_time google.protobuf.Timestamp"},
	}
}

func TestBaselineNumbersNeverChange(t *testing.T) {
	for name, want := range baselineFields() {
		m := File_messages_wire_fodc_proto.Messages().ByName(name)
		require.NotNil(t, m, "message %s", name)
		var got []string
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			if f.Number() < firstOwnField {
				got = append(got, describe(f))
			}
		}
		require.ElementsMatch(t, want, got, "message %s: fields of fodc have numbers from %d", name, firstOwnField)
	}
}

func describe(f protoreflect.FieldDescriptor) string {
	kind := kindOf(f)
	switch {
	case f.IsMap():
		kind = fmt.Sprintf("map<%s,%s>", kindOf(f.MapKey()), kindOf(f.MapValue()))
	case f.IsList():
		kind = "repeated " + kind
	}
	return fmt.Sprintf("%d %s %s", f.Number(), f.Name(), kind)
}

func kindOf(f protoreflect.FieldDescriptor) string {
	var name protoreflect.FullName
	switch {
	case f.Message() != nil:
		name = f.Message().FullName()
	case f.Enum() != nil:
		name = f.Enum().FullName()
	default:
		return f.Kind().String()
	}
	return strings.TrimPrefix(string(name), "banyandb.fodc.v1.")
}

func TestBaselineTypesNeverChange(t *testing.T) {
	values := File_messages_wire_fodc_proto.Enums().ByName("MetricType").Values()
	var got []string
	for i := range values.Len() {
		got = append(got, fmt.Sprintf("%d %s", values.Get(i).Number(), values.Get(i).Name()))
	}
	require.Equal(t, []string{"0 METRIC_TYPE_UNSPECIFIED", "1 METRIC_TYPE_GAUGE", "2 METRIC_TYPE_COUNTER",
		"3 METRIC_TYPE_HISTOGRAM", "4 METRIC_TYPE_SUMMARY", "5 METRIC_TYPE_UNTYPED"}, got)
}

// Every RPC that baseline agents open is there, and a stream in both directions.
func TestServiceIsTheBaselines(t *testing.T) {
	service := File_messages_wire_fodc_proto.Services().ByName("FODCService")
	require.Equal(t, protoreflect.FullName("banyandb.fodc.v1.FODCService"), service.FullName())
	for _, name := range []protoreflect.Name{"RegisterAgent", "StreamMetrics", "StreamClusterTopology", "StreamLifecycle",
		"StreamCrashDiagnostics", "StreamPressureProfiles", "StreamSchemaRegistry"} {
		m := service.Methods().ByName(name)
		require.NotNil(t, m, "RPC %s", name)
		require.True(t, m.IsStreamingClient() && m.IsStreamingServer(), "RPC %s", name)
	}
}
