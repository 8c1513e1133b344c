package sink

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"net/http"
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"loadgen"
	"loadgen/metrics"
	"loadgen/sweep"
)

// spansAtOnce is how many spans go into one request: well below the 4 MiB that
// collectors take.
const spansAtOnce = 1000

// otlpSend sends the figures of the runs as metrics, and every request of the
// measurement as a span, to a receiver of OTLP over HTTP.
//
// The messages are OpenTelemetry's own; its SDK is not used. It is made for
// what happens now, and drops spans when it cannot keep up.
func otlpSend(ctx context.Context, b *Batch, e *sweep.Export, o *Options) (string, error) {
	base := strings.TrimSuffix(e.URL, "/")
	send := func(path string, m proto.Message) error {
		body, err := proto.Marshal(m)
		if err != nil {
			return err
		}
		return otlpPost(ctx, o, e, base+path, body)
	}
	figures := func(of *resourcepb.Resource, m []*metricspb.Metric) error {
		if len(m) == 0 {
			return nil
		}
		return send("/v1/metrics", &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{
			Resource: of, ScopeMetrics: []*metricspb.ScopeMetrics{{Scope: scope(o.Version), Metrics: m}},
		}}})
	}
	for i := range b.Searches {
		c := &b.Searches[i]
		if err := figures(&resourcepb.Resource{Attributes: searchResource(b, c, o.Version)}, otlpCapacities(b, c)); err != nil {
			return "", fmt.Errorf("the capacity: %w", err)
		}
	}
	for _, r := range b.Runs {
		resource := &resourcepb.Resource{Attributes: resourceOf(b, r, o.Version)}
		if err := figures(resource, otlpMetrics(r)); err != nil {
			return "", fmt.Errorf("metrics of %s: %w", r.Name, err)
		}
		var spans []*tracepb.Span
		flush := func() error {
			if len(spans) == 0 {
				return nil
			}
			data := &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
				Resource: resource, ScopeSpans: []*tracepb.ScopeSpans{{Scope: scope(o.Version), Spans: spans}},
			}}}
			spans = nil
			return send("/v1/traces", data)
		}
		err := r.measured(func(rec *loadgen.Record) error {
			if spans = append(spans, span(r, rec)); len(spans) == spansAtOnce {
				return flush()
			}
			return nil
		})
		if err == nil {
			err = flush()
		}
		if err != nil {
			return "", fmt.Errorf("spans of %s: %w", r.Name, err)
		}
	}
	return base, nil
}

// otlpPost sends a message, and tells what the receiver did not take of it.
func otlpPost(ctx context.Context, o *Options, e *sweep.Export, url string, body []byte) error {
	reply, err := postFor(ctx, o, e, http.MethodPost, url, "application/x-protobuf", body)
	if err != nil {
		return err
	}
	if rejected, why := partly(reply); rejected > 0 {
		return fmt.Errorf("%s refused %d items: %s", url, rejected, cutText(why, 200))
	}
	return nil
}

// partly reads the partial success of a reply: how many items were not taken,
// and why. It is the first field of the responses of traces and metrics alike.
func partly(reply []byte) (rejected int64, why string) {
	inside := func(message []byte, visit func(field protowire.Number, n uint64, text []byte)) {
		for len(message) > 0 {
			field, kind, size := protowire.ConsumeTag(message)
			if size < 0 {
				return
			}
			message = message[size:]
			var n uint64
			var text []byte
			switch kind {
			case protowire.VarintType:
				n, size = protowire.ConsumeVarint(message)
			case protowire.BytesType:
				text, size = protowire.ConsumeBytes(message)
			default:
				size = protowire.ConsumeFieldValue(field, kind, message)
			}
			if size < 0 {
				return
			}
			message = message[size:]
			visit(field, n, text)
		}
	}
	inside(reply, func(field protowire.Number, _ uint64, partial []byte) {
		if field != 1 {
			return
		}
		inside(partial, func(field protowire.Number, n uint64, text []byte) {
			switch field {
			case 1:
				rejected = int64(n)
			case 2:
				why = string(text)
			}
		})
	})
	return rejected, why
}

func scope(version string) *commonpb.InstrumentationScope {
	return &commonpb.InstrumentationScope{Name: "loadgen", Version: version}
}

func resourceOf(b *Batch, r *Run, version string) []*commonpb.KeyValue {
	list := append(batchResource(b, r.setting("model"), r.Meta.Label, r.Meta.Cell.Values, version),
		textAttribute("loadgen.run", r.Name), textAttribute("loadgen.verdict", r.Verdict()))
	if r.Probe != nil {
		list = append(list, textAttribute("loadgen.probe", r.Probe.kind()))
	}
	return list
}

// batchResource are the attributes of what is sent of a batch.
func batchResource(b *Batch, model, label string, swept []loadgen.Value, version string) []*commonpb.KeyValue {
	list := []*commonpb.KeyValue{
		textAttribute("service.name", "loadgen"), textAttribute("service.version", version),
		textAttribute("loadgen.batch", b.Name), textAttribute("gen_ai.request.model", model),
	}
	if label != "" {
		list = append(list, textAttribute("loadgen.label", label))
	}
	for _, v := range swept {
		list = append(list, attribute("loadgen.sweep."+v.Key, v.Value))
	}
	return list
}

// otlpMetrics are the figures of a run, each a gauge at its end.
func otlpMetrics(r *Run) []*metricspb.Metric {
	if r.Summary == nil {
		return nil
	}
	var all []*metricspb.Metric
	at := uint64(max(r.Ended.UnixNano(), 0))
	for _, m := range r.Summary.Metrics {
		gauge := &metricspb.Gauge{}
		point := func(v float64, attributes ...*commonpb.KeyValue) {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				gauge.DataPoints = append(gauge.DataPoints, &metricspb.NumberDataPoint{
					TimeUnixNano: at, Attributes: attributes, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: v},
				})
			}
		}
		if m.Value != nil {
			point(*m.Value)
		} else {
			for _, stat := range []string{"avg", "min", "max", "std", "p50", "p90", "p95", "p99"} {
				if v, ok := m.Stats.Named(stat); ok {
					point(v, textAttribute("stat", stat))
				}
			}
		}
		if len(gauge.DataPoints) > 0 {
			all = append(all, &metricspb.Metric{Name: "loadgen." + m.Tag, Description: m.Header, Unit: m.Unit, Data: &metricspb.Metric_Gauge{Gauge: gauge}})
		}
	}
	return all
}

// span is a request by the conventions for generative AI, from the moment it was
// sent. Requests of a session share a trace.
func span(r *Run, rec *loadgen.Record) *tracepb.Span {
	operation := "chat"
	if r.setting("endpoint_type") == "completions" {
		operation = "text_completion"
	}
	model := r.setting("model")
	start := uint64(max(rec.Start.UnixNano(), 0))
	trace := sha256.Sum256([]byte(r.Dir + "\x00" + r.Meta.Timestamp.String() + "\x00" + rec.Request.Session))
	id := sha256.Sum256([]byte(r.Dir + "\x00" + r.Meta.Timestamp.String() + "\x00" + rec.Request.ID + fmt.Sprint(rec.Index)))
	s := &tracepb.Span{
		TraceId: trace[:16], SpanId: id[:8], Name: operation + " " + model, Kind: tracepb.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: start, EndTimeUnixNano: start + uint64(max(rec.Over, rec.Took)),
		Attributes: []*commonpb.KeyValue{
			textAttribute("gen_ai.operation.name", operation), textAttribute("gen_ai.request.model", model),
			textAttribute("gen_ai.conversation.id", rec.Request.Session),
			attribute("loadgen.turn", rec.Request.Turn), attribute("loadgen.lag_ms", rec.Lag().Seconds()*1e3),
			attribute("loadgen.request_id", rec.Request.ID),
		},
		Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_OK},
	}
	add := func(key string, v any) { s.Attributes = append(s.Attributes, attribute(key, v)) }
	if rec.Model != "" {
		add("gen_ai.response.model", rec.Model)
	}
	var m metrics.Measurement
	m.ServerInput = r.Meta.Facts.ServerInput
	metrics.Measure(rec, &m)
	for _, n := range []struct {
		key string
		id  metrics.ID
	}{{"gen_ai.usage.input_tokens", metrics.ISL}, {"gen_ai.usage.output_tokens", metrics.OSL}} {
		if v, ok := m.Value(n.id); ok {
			add(n.key, int(v))
		}
	}
	if rec.FinishReason != "" {
		s.Attributes = append(s.Attributes, &commonpb.KeyValue{Key: "gen_ai.response.finish_reasons", Value: &commonpb.AnyValue{
			Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: []*commonpb.AnyValue{valueOf(rec.FinishReason)}}},
		}})
	}
	if rec.Streamed && len(rec.Chunks) > 0 {
		s.Events = append(s.Events, &tracepb.Span_Event{Name: "first token", TimeUnixNano: start + uint64(max(rec.Chunks[0].At, 0))})
	}
	if f := rec.Failure; f != nil {
		s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: valid(f.Message)}
		add("error.type", string(f.Kind))
		if f.Status > 0 {
			add("http.response.status_code", f.Status)
		}
	}
	return s
}

func textAttribute(key, text string) *commonpb.KeyValue { return attribute(key, text) }

func attribute(key string, v any) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: valid(key), Value: valueOf(v)}
}

func valueOf(v any) *commonpb.AnyValue {
	switch v := v.(type) {
	case string:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: valid(v)}}
	case bool:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: v}}
	case int:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(v)}}
	case float64:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v}}
	}
	return valueOf(fmt.Sprint(v))
}

// valid is a text that protobuf takes.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
