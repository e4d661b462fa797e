package modes

import (
	_ "github.com/VictoriaMetrics/metrics"
	_ "github.com/asynkron/protoactor-go/actor"
	_ "github.com/google/uuid"
	_ "github.com/klauspost/compress/gzhttp"
	_ "github.com/prometheus/common/expfmt"
	_ "github.com/prometheus/procfs"
	_ "github.com/prometheus/prometheus/model/textparse"
	_ "github.com/stretchr/testify/require"
	_ "github.com/urfave/cli/v2"
	_ "go.uber.org/goleak"
	_ "go.uber.org/zap"
	_ "go.uber.org/zap/exp/zapslog"
	_ "google.golang.org/grpc"
	_ "google.golang.org/grpc/test/bufconn"
	_ "pgregory.net/rapid"
)
