// Package request gives each request a name, and the time it came, as Heroku's router does. A small
// body goes on once all of it is here.
package request

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"time"
)

// small is how many bytes of a body are waited for.
const small = 64 << 10

// Config holds no option.
type Config struct{}

// CreateConfig returns a Config.
func CreateConfig() *Config { return &Config{} }

// New returns the middleware.
func New(_ context.Context, next http.Handler, _ *Config, _ string) (http.Handler, error) {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if !given(request.Header.Get("X-Request-Id")) {
			request.Header.Set("X-Request-Id", made())
		}
		request.Header.Set("X-Request-Start", strconv.FormatInt(time.Now().UnixMilli(), 10))
		if !arrive(request) {
			http.Error(answer, "Bad Request", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(answer, request)
	}), nil
}

// arrive waits for a small body, and tells whether it came. An app may answer before it has read the
// body: Go's server would then read the rest itself, the body would end too early for the connection
// to the dyno, and the answer be cut off.
func arrive(request *http.Request) bool {
	if request.ContentLength <= 0 || request.ContentLength > small || request.Header.Get("Expect") != "" {
		return true
	}
	body, err := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil
}

// given tells whether a client's own name is one that Heroku would keep.
func given(id string) bool {
	if len(id) < 20 || len(id) > 200 {
		return false
	}
	for _, each := range id {
		plain := each == '-' || each >= '0' && each <= '9' || each >= 'a' && each <= 'z' || each >= 'A' && each <= 'Z'
		if !plain {
			return false
		}
	}
	return true
}

// made returns a random UUID.
func made() string {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return ""
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	text := hex.EncodeToString(raw)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
