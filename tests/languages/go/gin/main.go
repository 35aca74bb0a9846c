// Command web serves one page with gin.
package main

import (
	"net/http"
	"os"
	"runtime"

	"github.com/gin-gonic/gin"
)

func main() {
	router := gin.Default()
	router.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, "Hello from gin %s on %s\n", gin.Version, runtime.Version())
	})
	if err := router.Run(":" + os.Getenv("PORT")); err != nil {
		panic(err)
	}
}
