package modes

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// workflow is what matters of a workflow of GitHub.
type workflow struct {
	Name        string
	On          map[string]any
	Permissions map[string]string
	Jobs        map[string]struct {
		RunsOn    string            `yaml:"runs-on"`
		Timeout   int               `yaml:"timeout-minutes"`
		Rights    map[string]string `yaml:"permissions"`
		Container struct{ Image string }
		Steps     []struct {
			Name string
			Uses string
			Run  string
			With map[string]any
		}
	}
}

func hostingFile(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", ".github", name))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), name)
}

// Workflows only run what a person can run, may only read, and name actions by their commits.
func TestWorkflows(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	goMod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(goMod))[1]
	files, err := filepath.Glob("../.github/workflows/*")
	require.NoError(t, err)
	require.Len(t, files, 2)
	runs := ""
	for _, file := range files {
		var w workflow
		hostingFile(t, "workflows/"+filepath.Base(file), &w)
		require.NotEmpty(t, w.On, file)
		require.Equal(t, map[string]string{"contents": "read"}, w.Permissions, file)
		require.NotEmpty(t, w.Jobs, file)
		for name, job := range w.Jobs {
			require.Empty(t, job.Rights, "%s: %s", file, name)
			require.Positive(t, job.Timeout, "%s: %s", file, name)
			require.Equal(t, "golang:"+version+"-bookworm", job.Container.Image)
			for _, step := range job.Steps {
				require.NotEqual(t, step.Uses == "", step.Run == "", "%s: a step is either an action or a command", file)
				if step.Uses != "" {
					require.Regexp(t, `^actions/[a-z-]+@[0-9a-f]{40}$`, step.Uses)
					continue
				}
				runs += step.Run + "\n"
				if step.Run == ".ci/run" {
					continue
				}
				m := regexp.MustCompile(`^make ([a-z-]+)( VERSION="\$GITHUB_REF_NAME")?$`).FindStringSubmatch(step.Run)
				require.NotNil(t, m, "%s runs %q, which is neither .ci/run nor a target of make", file, step.Run)
				require.Contains(t, string(makefile), "\n"+m[1]+":")
			}
		}
	}
	require.Equal(t, ".ci/run\nmake release-check\nmake release VERSION=\"$GITHUB_REF_NAME\"\n", runs)
	script, err := os.Stat("../.ci/run")
	require.NoError(t, err)
	require.NotZero(t, script.Mode()&0o100)
}

// Forms have what GitHub asks for, and commands and routes in them are there.
func TestIssueForms(t *testing.T) {
	for _, name := range []string{"bug.yml", "feature.yml"} {
		var form struct {
			Name, Description string
			Labels            []string
			Body              []struct {
				Type, ID   string
				Attributes struct {
					Label, Value, Description, Render string
					Options                           []string
				}
				Validations struct{ Required bool }
			}
		}
		hostingFile(t, "ISSUE_TEMPLATE/"+name, &form)
		require.NotEmpty(t, form.Name)
		require.NotEmpty(t, form.Description)
		ids, required := map[string]bool{}, 0
		for _, part := range form.Body {
			a := part.Attributes
			switch part.Type {
			case "markdown":
				require.NotEmpty(t, a.Value)
			case "input", "textarea", "dropdown":
				require.NotEmpty(t, a.Label)
				require.NotEmpty(t, part.ID)
				require.False(t, ids[part.ID], part.ID)
				ids[part.ID] = true
				require.Equal(t, part.Type == "dropdown", len(a.Options) > 0, part.ID)
			default:
				t.Errorf("%s: a part of the type %q", name, part.Type)
			}
			if part.Validations.Required {
				required++
			}
			for _, m := range regexp.MustCompile("`fodc ([^`]+)`").FindAllStringSubmatch(a.Label+a.Description, -1) {
				t.Run(part.ID, func(t *testing.T) { isParsed(t, docCommand{name, "form", "fodc " + m[1]}) })
			}
			for _, m := range regexp.MustCompile("`([a-zA-Z/]+\\.md)`").FindAllStringSubmatch(a.Value, -1) {
				require.FileExists(t, filepath.Join("..", m[1]))
			}
		}
		require.Positive(t, required)
	}
	var config map[string]any
	hostingFile(t, "ISSUE_TEMPLATE/config.yml", &config)
	require.Equal(t, map[string]any{"blank_issues_enabled": true}, config)
	text, err := os.ReadFile("../.github/pull_request_template.md")
	require.NoError(t, err)
	require.Contains(t, string(text), "`make test`")
}
