package capture

const (
	kernelPath       = "logs/kernel.log"
	kernelFrozenPath = "logs/kernel-freeze.log"
)

func (c *Config) processSteps() []Step      { return nil }
func (c *Config) logSteps(*names) []Step    { return nil }
func (c *Config) kernelSteps(string) []Step { return nil }
func (c *Config) crashSteps() []Step        { return nil }
