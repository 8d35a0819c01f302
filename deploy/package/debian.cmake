# Debian packages by CPack: one of each component, for Debian 12.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lean-node)
set(CPACK_PACKAGE_VENDOR "The lean node authors")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The lean node authors <maintainers@localhost>")
set(CPACK_COMPONENTS_ALL beacon validator p2p)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
# The scripts of installation need the final prefix, and the settings have an absolute path.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_OUTPUT_FILE_PREFIX ${PROJECT_BINARY_DIR}/packages)

# lean_debian(COMPONENT PROGRAM SETTINGS DESCRIPTION): its package, with maintainer scripts.
function(lean_debian component program settings description)
  string(TOUPPER ${component} key)
  set(scripts ${CMAKE_CURRENT_BINARY_DIR}/debian/${program})
  set(unit ${program}.service)
  foreach(script postinst prerm postrm)
    configure_file(${CMAKE_CURRENT_SOURCE_DIR}/debian/${script}.in ${scripts}/${script} @ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE
                   OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endforeach()
  file(WRITE ${scripts}/conffiles "/etc/lean/${settings}\n")
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${program} PARENT_SCOPE)
  set(CPACK_COMPONENT_${key}_DESCRIPTION ${description} PARENT_SCOPE)
  # It creates the user, without the rest of systemd if need be.
  set(CPACK_DEBIAN_${key}_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_SUGGESTS "bash-completion" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_EXTRA
      "${scripts}/postinst;${scripts}/prerm;${scripts}/postrm;${scripts}/conffiles" PARENT_SCOPE)
endfunction()

lean_debian(beacon lean-beacon beacon.yaml
            "Beacon of a lean Ethereum node\n The beacon follows the chain of a lean network and serves validator clients.")
lean_debian(validator lean-validator validator.yaml
            "Validator client of a lean Ethereum node\n The client holds the keys of validators and the records of what they have signed.")
lean_debian(p2p lean-p2p p2p.yaml
            "Network engine of a lean Ethereum node\n The engine connects a beacon to other nodes by libp2p.")
set(CPACK_DEBIAN_BEACON_PACKAGE_RECOMMENDS lean-p2p)
include(CPack)
