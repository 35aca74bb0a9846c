// Package request gives each request a name, and the time it came, as Heroku's router does.
package request

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

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
		next.ServeHTTP(answer, request)
	}), nil
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
